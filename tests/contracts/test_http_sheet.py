"""The sheet for paper: complete in itself, true to the board, and there when the service is not."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from api.settings import Settings, SheetSettings
from api.sheet.keeping import SHEET_NAME
from platforms.city_files import save_city
from tests.contracts.http_town import HttpTown, served, town_city

ROOT = Path(__file__).resolve().parents[2]
PATH = "/v1/reports/open-incidents"
SHOUTING = "有人<script>alert(1)</script>持刀 & 叫喊"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpTown]:
    """A grave call with a crew on scene, one that waits for what is not to be had, one closed."""
    with served(tmp_path_factory.mktemp("sheet") / "data", watched=True) as town:
        grave = town.report(0, 0, priority=1, description=SHOUTING)
        order = grave["assignments"][0]["id"]
        assert town.client().post(f"/v1/assignments/{order}/arrive", json={}).status_code == 200
        town.report(600, 600, priority=3, required={"assault_team": 2})
        done = town.report(1_400, 1_400)["incident"]["id"]
        assert town.client().post(f"/v1/incidents/{done}/cancel", json={}).status_code == 200
        yield town


def ask(town: HttpTown, kind: str) -> httpx.Response:
    reply = town.client().get(PATH, headers={"Accept": kind})
    assert reply.status_code == 200, reply.text
    assert reply.headers["x-kuaijing-synthetic"] == "network, city"
    assert reply.headers["vary"] == "Accept"
    return reply


class _Page(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside = self.style = self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "style":
            self.style += data
        else:
            self.text += data


def test_the_page_needs_nothing_from_outside_and_runs_nothing(town: HttpTown) -> None:
    reply = ask(town, "text/html,application/xhtml+xml,*/*;q=0.8")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    page = _Page(reply.text)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "form", "base"}
    attributes = {name for _, attrs in page.tags for name in attrs}
    assert attributes <= {"lang", "charset", "class", "colspan"}
    assert "url(" not in page.style
    assert "size: A4" in page.style
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    policy = reply.headers["content-security-policy"]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'"


def test_the_page_says_what_the_desk_needs(town: HttpTown) -> None:
    text = _Page(ask(town, "text/html").text).text
    sheet = ask(town, "application/json").json()
    assert [one["priority"] for one in sheet["incidents"]] == [1, 3]
    for one in sheet["incidents"]:
        assert one["incident_no"] in text
    assert SHOUTING in text
    for word in (
        "未结警情单", "Open incidents", "特急", "已到场 on scene", "重点部位 key site", "60 秒",
        "尚缺 still wanted：2 × 猎豹突击队", "合成数据，非真实", "SYNTHETIC", "手记",
    ):  # fmt: skip
        assert word in text, word
    on_scene = sheet["incidents"][0]["units"][0]
    assert (on_scene["state"], on_scene["link_lost"]) == ("on_scene", False)
    free = [sign for one in sheet["platforms"] for sign in one["free"]]
    units = town.client().get("/v1/units").json()["items"]
    assert sorted(free) == sorted(one["call_sign"] for one in units if not one["assignment_id"])
    assert on_scene["call_sign"] not in free
    # By the city's clock, not in UTC.
    shown = re.search(r"截至 (\S+ \S+)（Asia/Shanghai）", text)
    assert shown is not None
    assert shown[1][:13] != sheet["at"][:13].replace("T", " ")


def test_the_table_has_a_row_for_each_unit_and_marks_itself(town: HttpTown) -> None:
    reply = ask(town, "text/csv")
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert {row["synthetic"] for row in rows} == {"true"}
    first, second, *free = rows
    assert (first["unit_state"], first["description"]) == ("on_scene", SHOUTING)
    assert (second["call_sign"], second["wanted"]) == ("", "2 × 猎豹突击队 assault team")
    assert {(row["unit_state"], row["incident_no"]) for row in free} == {("free", "")}
    assert len(free) == 11


def test_what_was_typed_is_no_formula_in_the_table(tmp_path: Path) -> None:
    with served(tmp_path / "data") as town:
        town.report(0, 0, description="=HYPERLINK(A1)")
        rows = csv.DictReader(io.StringIO(ask(town, "text/csv").text))
        assert next(rows)["description"] == "'=HYPERLINK(A1)"


def test_a_city_without_open_incidents_has_a_sheet_too(tmp_path: Path) -> None:
    off = Settings(sheet=SheetSettings(every_s=0))
    with served(tmp_path / "data", off, watched=True) as town:
        assert "没有未结警情" in ask(town, "text/html").text
        assert ask(town, "*/*").json()["incidents"] == []
    assert not (tmp_path / "data" / SHEET_NAME).exists(), "switched off, and written all the same"


def test_a_service_that_ended_leaves_a_sheet_and_its_log_gives_the_same(tmp_path: Path) -> None:
    data, city = tmp_path / "data", tmp_path / "city"
    data.mkdir()
    half = data / f".writing-x-{SHEET_NAME}"
    half.write_text("cut off by a kill")
    os.utime(half, (0, 0))
    begun = data / f".writing-y-{SHEET_NAME}"
    begun.write_text("another worker's, now")
    with served(data, watched=True) as town:
        number = town.report(0, 0, description=SHOUTING)["incident"]["incident_no"]
    assert not half.exists()
    kept = data / SHEET_NAME
    assert kept.stat().st_mode & 0o777 == 0o600
    assert number in kept.read_text(encoding="utf-8")
    save_city(town_city(), city)
    before = {one.name: one.read_bytes() for one in data.iterdir() if one.is_file()}
    out = tmp_path / "paper.html"
    done = sheet("--data", data, "--out", out, "--city", city, "--json")
    assert done.returncode == 0, done.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    (one,) = json.loads(done.stdout)["incidents"]
    assert (one["incident_no"], one["description"]) == (number, SHOUTING)
    assert one["units"][0]["state"] == "dispatched"
    text = _Page(out.read_text(encoding="utf-8")).text
    assert number in text
    assert "合成数据" in text
    after = {one.name: one.read_bytes() for one in data.iterdir() if one.is_file()}
    assert before == {name: after[name] for name in before}, "the folder was changed"


def test_a_log_without_events_is_told_and_no_sheet_of_1970_is_made(tmp_path: Path) -> None:
    with served(tmp_path / "data"):
        pass
    done = sheet("--data", tmp_path / "data", "--out", tmp_path / "paper.html")
    assert done.returncode == 4
    assert "no event yet" in done.stderr
    assert not (tmp_path / "paper.html").exists()


def test_what_is_no_folder_of_a_service_is_told(tmp_path: Path) -> None:
    done = sheet("--data", tmp_path, "--out", tmp_path / "paper.html")
    assert done.returncode == 4
    assert "holds no log.db" in done.stderr
    assert not (tmp_path / "paper.html").exists()


def sheet(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "sheet", *map(str, words)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
