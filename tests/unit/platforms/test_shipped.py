"""What ships is found, and a broken installation says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from platforms import shipped
from platforms.errors import CityFileError


def test_what_ships_is_found() -> None:
    assert (shipped.shipped_city() / "city.json").is_file()
    assert shipped.shipped_network().is_file()


def test_an_installed_wheel_keeps_it_inside_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "_ROOT", tmp_path)
    with pytest.raises(CityFileError, match="install the package again"):
        shipped.shipped_dir()
    city = tmp_path / "api" / "shipped_data" / "shaoyang"
    city.mkdir(parents=True)
    (city / "city.json").write_text("{}", encoding="utf-8")
    assert shipped.shipped_city() == city
