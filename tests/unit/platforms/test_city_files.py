"""The city folder: what is written is read back; what is wrong is named by file and line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from platforms.city_files import CITY_FILES, load_city, save_city
from platforms.errors import CityFileError, CityFolderRefused
from tests.small_city import small_city, without_places


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_city(small_city(), tmp_path / "city")
    return tmp_path / "city"


def test_a_city_comes_back_as_it_was_written(folder: Path) -> None:
    assert load_city(folder) == small_city()
    assert sorted(entry.name for entry in folder.iterdir()) == sorted(CITY_FILES)


def test_an_empty_gazetteer_comes_back(tmp_path: Path) -> None:
    save_city(without_places(small_city()), tmp_path / "city")
    assert load_city(tmp_path / "city").places == ()


def test_the_usual_categories_hold_where_the_file_is_left_out(folder: Path) -> None:
    (folder / "categories.json").unlink()
    assert load_city(folder).categories == small_city().categories


def test_files_of_a_spreadsheet_are_read(folder: Path) -> None:
    text = (folder / "units.csv").read_text(encoding="utf-8")
    (folder / "units.csv").write_bytes("\ufeff".encode() + text.replace("\n", "\r\n").encode())
    assert load_city(folder).units == small_city().units


# --- what is wrong is named, with how to mend it ---


def _lines(name: str, change: Callable[[list[str]], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        change(lines)
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    return spoil


def _replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


def _geometry(name: str, feature: int, geometry: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        document = json.loads((folder / name).read_text(encoding="utf-8"))
        document["features"][feature]["geometry"] = geometry
        (folder / name).write_text(json.dumps(document), encoding="utf-8")

    return spoil


def _bytes(name: str, content: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return spoil


def _gone(name: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()

    return spoil


BOW_TIE = {
    "type": "Polygon",
    "coordinates": [[[111.4, 27.2], [111.5, 27.3], [111.5, 27.2], [111.4, 27.3], [111.4, 27.2]]],
}
ROUND_THE_WORLD = {
    "type": "Polygon",
    "coordinates": [[[27.2, 111.4], [27.3, 111.4], [27.3, 111.5], [27.2, 111.4]]],
}

WRONG: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "missing file": (_gone("zones.geojson"), "zones.geojson", "is missing"),
    "no json": (
        _bytes("areas.geojson", b'{"type": \n ?'),
        "areas.geojson line 2 column 2",
        "is no JSON",
    ),
    "deep json": (_bytes("areas.geojson", b"[" * 100_000), "areas.geojson", "nested too deeply"),
    "gbk": (_bytes("units.csv", "呼号".encode("gbk")), "units.csv", "save it again as UTF-8"),
    "no collection": (_bytes("grids.geojson", b"{}"), "grids.geojson", "FeatureCollection"),
    "wrong column": (
        _replaced("units.csv", "call_sign,", "callsign,"),
        "units.csv line 1",
        "is 'callsign' meant?",
    ),
    "short line": (
        _lines("units.csv", lambda lines: lines.insert(3, "P01-X,少")),
        "units.csv line 4",
        "needs 7 values",
    ),
    "unknown kind": (
        _replaced("units.csv", "motorcycle", "bicycle"),
        "units.csv line 5",
        "'bicycle' is not known",
    ),
    "duty word": (
        _replaced("units.csv", ",true,", ",yes,"),
        "units.csv line 2",
        "must be true or false",
    ),
    "duplicate unit": (
        _lines("units.csv", lambda lines: lines.append(lines[2])),
        "units.csv line 16",
        "stands already at units.csv line 3",
    ),
    "duplicate call sign": (
        _replaced("units.csv", "西1号-车2", "西1号-车1"),
        "units.csv line 4",
        "belongs already to P01-C1",
    ),
    "duplicate platform": (
        _replaced("platforms.geojson", '"P02"', '"P01"'),
        "platforms.geojson feature 2",
        "stands already at platforms.geojson feature 1",
    ),
    "unknown platform": (
        _replaced("units.csv", "motorcycle,P01", "motorcycle,P09"),
        "units.csv line 5",
        "'P09' is not in platforms.geojson",
    ),
    "unknown grid": (
        _replaced("platforms.geojson", '"G02"', '"G09"'),
        "platforms.geojson feature 2",
        "'G09' is not in grids.geojson",
    ),
    "broken polygon": (
        _geometry("zones.geojson", 1, BOW_TIE),
        "zones.geojson feature 2",
        "the polygon is broken: Self-intersection",
    ),
    "lat before lon": (
        _geometry("zones.geojson", 0, ROUND_THE_WORLD),
        "zones.geojson feature 1",
        "longitude before latitude",
    ),
    "point for polygon": (
        _geometry("areas.geojson", 0, {"type": "Point", "coordinates": [111.4, 27.2]}),
        "areas.geojson feature 1",
        "needs a Polygon",
    ),
    "polygon of nothing": (
        _geometry("areas.geojson", 0, {"type": "Polygon", "coordinates": [[1]]}),
        "areas.geojson feature 1",
        "the polygon cannot be read",
    ),
    "text for a coordinate": (
        _geometry("key_sites.geojson", 0, {"type": "Point", "coordinates": ["111", "27"]}),
        "key_sites.geojson feature 1",
        "needs a Point",
    ),
    "zone class": (
        _replaced("zones.geojson", '"core", "target_s"', '"centre", "target_s"'),
        "zones.geojson feature 2",
        "zone_class 'centre' is not known",
    ),
    "half a second": (
        _replaced("zones.geojson", '"target_s": 300', '"target_s": 0.5'),
        "zones.geojson feature 1",
        "must be whole seconds",
    ),
    "a place of text": (
        _replaced("places.csv", "111.460000", "bridge"),
        "places.csv line 2",
        "lon must be a number",
    ),
    "timezone": (_replaced("city.json", "Asia/Shanghai", "Asia/Nowhere"), "city.json", "IANA"),
    "nameless": (_replaced("city.json", "小城", " "), "city.json", "name is missing"),
    "priority": (
        _replaced("categories.json", '"priority": 1', '"priority": 5'),
        "categories.json category 1",
        "must be 1, 2, 3 or 4",
    ),
    "category twice": (
        _replaced("categories.json", '"fire"', '"help"'),
        "categories.json category 6",
        "stands twice",
    ),
    "nobody sent": (
        _replaced("categories.json", '"count": 1', '"count": 0'),
        "categories.json category 1",
        "is no category",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_named_with_its_line(folder: Path, name: str) -> None:
    spoil, where, why = WRONG[name]
    spoil(folder)
    with pytest.raises(CityFileError) as caught:
        load_city(folder)
    assert caught.value.where == where
    assert why in str(caught.value)


def test_a_missing_folder_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CityFileError, match="kuaijing city sketch"):
        load_city(tmp_path / "nowhere")


# --- writing ---


def test_a_city_is_not_written_over_unless_told_to(folder: Path) -> None:
    with pytest.raises(CityFolderRefused, match="holds a city already"):
        save_city(small_city(), folder)
    save_city(without_places(small_city()), folder, replace=True)
    assert load_city(folder).places == ()


def test_a_folder_with_other_files_is_never_replaced(folder: Path) -> None:
    (folder / "diary.txt").write_text("keep me", encoding="utf-8")
    with pytest.raises(CityFolderRefused, match=r"diary\.txt"):
        save_city(small_city(), folder, replace=True)
    assert (folder / "diary.txt").read_text(encoding="utf-8") == "keep me"


def test_a_failed_write_leaves_the_old_city(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("platforms.city_writer.os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        save_city(without_places(small_city()), folder, replace=True)
    assert load_city(folder) == small_city()
    assert [entry.name for entry in folder.parent.iterdir()] == ["city"]
