"""A service's folder remembers its city: for tokens of units, and for replays."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from api.cli import main
from api.errors import SettingsInvalid, TokenRefused
from api.served_city import (
    SERVED_CITY_FILE,
    check_unit,
    keep_served_city,
    read_served_city,
)
from api.tokens import read_records
from dispatch.replay import units_sha256
from platforms.city_files import load_city, save_city
from tests.contracts.http_town import town_city
from tests.shell_town import TestClock, a_call, ok, open_runner, run


@pytest.fixture
def served(tmp_path: Path) -> tuple[Path, Path]:
    """A folder on which a service has run, and its city's."""
    data, city = tmp_path / "data", tmp_path / "town"
    save_city(town_city(), city)

    async def scenario() -> None:
        runner = await open_runner(data, TestClock())
        await runner.ask(a_call(), actor="t", answer=ok)
        await runner.close()

    data.mkdir()
    run(scenario)
    assert keep_served_city(data, load_city(city), city) is None
    return data, city


def without_first_unit(city: Path) -> None:
    """The city's files lose a unit."""
    header, _first, *rest = (city / "units.csv").read_text(encoding="utf-8").splitlines()
    (city / "units.csv").write_text("\n".join([header, *rest]) + "\n", encoding="utf-8")


def test_the_city_comes_back_as_it_was_written_down(served: tuple[Path, Path]) -> None:
    data, city = served
    record = read_served_city(data)
    assert record is not None
    assert (record.name, record.folder) == (town_city().name, str(city.resolve()))
    assert record.units_sha256 == units_sha256(town_city())
    assert record.unit_ids[0] == "P01-C1"
    # The next start is told of the one before; an equal city leaves the file alone.
    stamp = (data / SERVED_CITY_FILE).stat().st_mtime_ns
    assert keep_served_city(data, load_city(city), city) == record
    assert (data / SERVED_CITY_FILE).stat().st_mtime_ns == stamp
    assert keep_served_city(data, load_city(city), None) == record
    shipped = read_served_city(data)
    assert shipped is not None
    assert "the city that ships" in shipped.told


def test_only_what_a_replay_takes_from_a_city_makes_it_another() -> None:
    city = town_city()
    assert units_sha256(replace(city, name="别的", zones=())) == units_sha256(city)
    assert units_sha256(replace(city, units=city.units[::-1])) == units_sha256(city)
    renamed = replace(city.units[0], call_sign="别的")
    off_duty = replace(city.units[0], on_duty=False)
    for other in (renamed, off_duty):
        units = (other, *city.units[1:])
        assert units_sha256(replace(city, units=units)) != units_sha256(city)


@pytest.mark.parametrize("content", ["", "{", '{"name": "x"}', '{"name": 7}', "[]"])
def test_a_damaged_record_is_told_and_the_next_start_makes_it_anew(
    served: tuple[Path, Path], content: str
) -> None:
    data, city = served
    (data / SERVED_CITY_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=r"served-city\.json is damaged"):
        read_served_city(data)
    assert keep_served_city(data, load_city(city), city) is None
    assert read_served_city(data) is not None


def test_a_unit_of_the_city_is_let_in_and_another_is_refused(
    served: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    data, _ = served
    create = ("token", "create", "--data", str(data), "--role", "vehicle", "--unit")
    assert main([*create, "P02-M1"]) == 0
    made = capsys.readouterr()
    assert made.out.startswith("sy_vehicle_")
    assert made.err == ""
    assert main([*create, "P02-M9"]) == 2
    refused = capsys.readouterr()
    assert refused.out == ""
    assert "has no unit 'P02-M9'" in refused.err
    assert "P02-M1" in refused.err
    assert [one.unit_id for one in read_records(data).values()] == ["P02-M1"]


def test_where_no_city_can_be_known_the_token_is_made_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["token", "create", "--data", str(tmp_path), "--role", "vehicle", "--unit", "P77-C1"])
        == 0
    )
    made = capsys.readouterr()
    assert made.out.startswith("sy_vehicle_")
    assert "P77-C1 is a unit of its city could not be looked up: no service has run" in made.err


def test_a_unit_that_came_into_the_files_since_the_last_start_is_let_in_and_told(
    served: tuple[Path, Path],
) -> None:
    data, city = served
    rows = (city / "units.csv").read_text(encoding="utf-8")
    first = rows.splitlines()[1]
    new = first.replace("P01-C1", "P01-C7").replace("P01-CV", "P01-C7")
    (city / "units.csv").write_text(rows + new + "\n", encoding="utf-8")
    assert "start the service again" in (check_unit(data, "P01-C7") or "")
    with pytest.raises(TokenRefused, match="P01-C8"):
        check_unit(data, "P01-C8")


def test_a_city_that_is_gone_or_broken_keeps_nobody_from_a_token(
    served: tuple[Path, Path],
) -> None:
    data, city = served
    (city / "units.csv").write_text("no,units\n", encoding="utf-8")
    assert "units.csv" in (check_unit(data, "P01-C8") or "")
    assert check_unit(data, "P01-C1") is None
    (data / SERVED_CITY_FILE).write_text("{", encoding="utf-8")
    assert "damaged" in (check_unit(data, "P01-C8") or "")


def replayed(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, digest of the board ("" where none was printed) and stderr of a replay."""
    code = main(["replay", "--json", *map(str, words)])
    told = capsys.readouterr()
    return code, json.loads(told.out)["board_sha256"] if told.out else "", told.err


def test_a_replay_finds_its_city_by_itself_and_refuses_another(
    served: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, city = served
    by_itself = replayed(capsys, "--data", data)
    assert by_itself[0] == 0
    assert by_itself[2] == ""
    assert replayed(capsys, "--data", data, "--city", city) == by_itself

    other = tmp_path / "other"
    town = town_city()
    save_city(replace(town, units=town.units[1:]), other)
    code, digest, told = replayed(capsys, "--data", data, "--city", other)
    assert (code, digest) == (4, "")
    assert str(other) in told
    assert f"{town.name} ({city.resolve()}, {len(town.units)} units)" in told
    assert "leave --city out, or add --other-units" in told
    code, digest, _ = replayed(capsys, "--data", data, "--city", other, "--other-units")
    assert digest not in ("", by_itself[1])


def test_a_replay_tells_when_the_files_have_changed_or_gone(
    served: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, city = served
    without_first_unit(city)
    code, digest, told = replayed(capsys, "--data", data)
    assert (code, digest) == (4, "")
    assert "start the service once, or add --other-units" in told
    city.rename(tmp_path / "moved")
    code, _, told = replayed(capsys, "--data", data)
    assert code == 4
    assert "is not there any more: give its folder with --city" in told


def test_a_replay_of_a_folder_of_before_says_that_it_cannot_know(
    served: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    data, city = served
    (data / SERVED_CITY_FILE).unlink()
    code, digest, told = replayed(capsys, "--data", data, "--city", city)
    assert code == 0
    assert digest
    assert "is not written down there" in told


def test_the_version_is_printed_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.startswith("kuaijing ")
    assert told.out.count(".") == 2
