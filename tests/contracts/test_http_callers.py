"""Who called: given with the call, read by whom it concerns, found nowhere else, and forgotten."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from api.backup.put_back import put_back
from api.backup.take import take_backup
from api.callers.caller_tables import CALLERS_FILE, KEYS_FILE
from api.cli import main
from api.settings import CallerRules, Settings
from tests.contracts.http_town import HttpTown, Json, assert_problem, lon_lat, served

NAME, PHONE, NOTE = "报警人金丝雀", "13873912345", "门牌金丝雀"
GIVEN = {"name": NAME, "phone": PHONE, "note": NOTE}
ELSEWHERE = (
    "/v1/incidents",
    "/v1/snapshot",
    "/v1/events?limit=1000",
    "/metrics",
    "/v1/reports/arrivals",
)


@pytest.fixture
def town(open_town: HttpTown) -> HttpTown:
    """The town as it is; who needs free units asks for quiet."""
    return open_town


def reads_of(data_dir: Path, incident_id: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(data_dir / CALLERS_FILE)) as file:
        return file.execute(
            "SELECT actor FROM reads WHERE incident_id = ? ORDER BY id", (incident_id,)
        ).fetchall()


def rows_of(data_dir: Path, name: str = CALLERS_FILE, table: str = "callers") -> int:
    with closing(sqlite3.connect(data_dir / name)) as file:
        return int(file.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def called(town: HttpTown, key: str | None = None, **caller: str) -> Json:
    body = {"location": lon_lat(0, 0), "category": "help", "caller": caller or GIVEN}
    headers = {} if key is None else {"Idempotency-Key": key}
    reply = town.client().post("/v1/incidents", json=body, headers=headers)
    assert reply.status_code == 201, reply.text
    assert reply.headers["cache-control"] == "no-store"
    answer: Json = reply.json()
    return answer


def test_the_desk_and_the_crew_that_is_sent_read_who_called(town: HttpTown) -> None:
    town.quiet()
    answer = called(town)
    assert answer["caller"] == {"kept": True}
    incident_id = answer["incident"]["id"]
    (order,) = answer["assignments"]
    path = f"/v1/incidents/{incident_id}/caller"
    crew = town.client("vehicle", order["unit_id"])
    other = town.client("vehicle", "P02-C1" if order["unit_id"] != "P02-C1" else "P01-C1")

    reply = town.client().get(path)
    assert reply.json() == {"incident_id": incident_id, **GIVEN}
    assert reply.headers["cache-control"] == "no-store"
    assert crew.get(path).json()["phone"] == PHONE
    for refused in (other, town.client("analyst")):
        assert_problem(refused.get(path), 403, "forbidden")
    for step in ("ack", "arrive", "clear"):
        assert crew.post(f"/v1/assignments/{order['id']}/{step}", json={}).status_code == 200
    assert_problem(crew.get(path), 403, "forbidden")

    actors = [actor for (actor,) in reads_of(town.data_dir, incident_id)]
    assert actors[0].startswith("dispatcher:")
    assert actors[1:] == [f"vehicle:{order['unit_id']}"], "and nobody who was refused"


def test_no_caller_is_found_where_the_log_is_shown_or_kept(town: HttpTown) -> None:
    incident_id = called(town)["incident"]["id"]
    for path in (*ELSEWHERE, f"/v1/incidents/{incident_id}"):
        shown = town.client("admin").get(path).text
        for canary in (NAME, PHONE, NOTE):
            assert canary not in shown, path
    for file in town.data_dir.rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            for canary in (NAME, PHONE, NOTE):
                assert canary.encode() not in held, file.name
                assert json.dumps(canary)[1:-1].encode() not in held, file.name


def test_a_repeated_command_gives_the_same_answer_and_no_second_record(town: HttpTown) -> None:
    first = called(town, key="called-once")
    before = rows_of(town.data_dir), rows_of(town.data_dir, KEYS_FILE, "caller_keys")
    assert called(town, key="called-once") == first
    assert (rows_of(town.data_dir), rows_of(town.data_dir, KEYS_FILE, "caller_keys")) == before
    other = {"location": lon_lat(0, 0), "category": "help", "caller": {"phone": "110"}}
    reply = town.client().post(
        "/v1/incidents", json=other, headers={"Idempotency-Key": "called-once"}
    )
    assert_problem(reply, 422, "idempotency_key_reused")


def test_the_digest_kept_with_a_command_cannot_be_tried_against_numbers(town: HttpTown) -> None:
    body = json.dumps({"location": lon_lat(0, 0), "category": "help", "caller": GIVEN}).encode()
    headers = {"Idempotency-Key": "tried-numbers", "Content-Type": "application/json"}
    assert town.client().post("/v1/incidents", content=body, headers=headers).status_code == 201
    plain = hashlib.sha256(b"POST /v1/incidents\n" + body).digest()
    with closing(sqlite3.connect(town.data_dir / "log.db")) as log:
        kept = log.execute(
            "SELECT body_sha256 FROM commands WHERE key LIKE '%:tried-numbers'"
        ).fetchall()
    assert len(kept) == 1
    assert kept[0][0] != plain


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"category": "no-such"}, 422),
        ({"caller": {}}, 422),
        ({"caller": {"phone": "call me"}}, 422),
        ({"caller": {"name": "x" * 101}}, 422),
        ({"caller": {"name": "x\x00"}}, 422),
        ({"caller": {**GIVEN, "address": "x"}}, 422),
        ({"caller": [NAME]}, 422),
    ],
)
def test_a_refused_command_leaves_no_record(town: HttpTown, more: Json, status: int) -> None:
    called(town)
    before = rows_of(town.data_dir)
    body = {"location": lon_lat(0, 0), "category": "help", "caller": GIVEN, **more}
    reply = town.client().post("/v1/incidents", json=body)
    assert reply.status_code == status
    for canary in (NAME, PHONE, NOTE):
        assert canary not in reply.text
    assert rows_of(town.data_dir) == before


def test_a_caller_is_set_right_by_patch(town: HttpTown) -> None:
    incident = called(town)["incident"]
    path = f"/v1/incidents/{incident['id']}"
    client = town.client()
    reply = client.patch(
        path,
        json={"caller": {"phone": "(0739) 5361234"}},
        headers={"If-Match": f'"{incident["version"]}"'},
    )
    assert reply.status_code == 200, reply.text
    assert reply.json()["caller"] == {"kept": True}
    assert reply.json()["version"] == incident["version"] + 1
    assert client.get(f"{path}/caller").json()["phone"] == "(0739) 5361234"
    stale = client.patch(path, json={"caller": GIVEN}, headers={"If-Match": '"1"'})
    assert_problem(stale, 412, "version_stale")
    assert client.get(f"{path}/caller").json()["name"] == ""


def test_an_incident_without_a_caller_says_so(town: HttpTown) -> None:
    incident_id = town.report()["incident"]["id"]
    problem = assert_problem(
        town.client().get(f"/v1/incidents/{incident_id}/caller"), 404, "caller_not_kept"
    )
    assert problem["incident_id"] == incident_id
    assert_problem(town.client().get("/v1/incidents/I9/caller"), 404, "incident_unknown")


def test_a_recommendation_takes_a_caller_and_keeps_none(town: HttpTown) -> None:
    called(town)
    before = rows_of(town.data_dir)
    body = {"location": lon_lat(0, 0), "category": "help", "caller": GIVEN, "k": 3}
    reply = town.client("analyst").post("/v1/recommendations", json=body)
    assert reply.status_code == 200
    assert PHONE not in reply.text
    assert rows_of(town.data_dir) == before


def test_forgetting_while_the_service_runs(
    town: HttpTown, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = called(town, key="forgotten-later")
    incident_id = answer["incident"]["id"]
    path = f"/v1/incidents/{incident_id}/caller"
    assert town.client().get(path).status_code == 200
    data = str(town.data_dir)
    assert main(["callers", "forget", "--data", data, "--incident", incident_id]) == 0
    assert_problem(town.client().get(path), 404, "caller_not_kept")
    again = called(town, key="forgotten-later")
    assert again["caller"] == {"kept": False, "why": "it was forgotten"}
    assert_problem(town.client().get(path), 404, "caller_not_kept")

    capsys.readouterr()
    assert main(["callers", "reads", "--data", data, "--incident", incident_id, "--json"]) == 0
    (read,) = json.loads(capsys.readouterr().out)["items"]
    assert read["actor"].startswith("dispatcher:")
    assert main(["callers", "reads", "--data", data]) == 0
    assert incident_id in capsys.readouterr().out
    assert main(["callers", "forget", "--data", data, "--incident", incident_id]) == 4
    assert incident_id in capsys.readouterr().err
    assert main(["callers", "reads", "--data", f"{data}/none"]) == 4


def test_a_call_is_taken_though_its_caller_cannot_be_kept(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / CALLERS_FILE).mkdir(parents=True)
    with served(data) as town:
        answer = called(town, key="on-a-bad-disk")
        assert answer["assignments"], "help is on its way"
        assert answer["caller"]["kept"] is False
        assert CALLERS_FILE in answer["caller"]["why"]
        path = f"/v1/incidents/{answer['incident']['id']}/caller"
        problem = assert_problem(town.client().get(path), 503, "callers_unavailable")
        assert problem["retry_after_s"] == 5
        (data / CALLERS_FILE).rmdir()
        assert called(town, key="on-a-bad-disk")["caller"] == {"kept": True}
        assert town.client().get(path).json()["name"] == NAME


def test_a_service_that_keeps_none(tmp_path: Path) -> None:
    with served(tmp_path / "data", Settings(callers=CallerRules(kept_days=0))) as town:
        answer = called(town)
        assert answer["caller"]["kept"] is False
        assert "kept_days" in answer["caller"]["why"]
        assert not (town.data_dir / CALLERS_FILE).exists()


def test_a_backup_has_what_is_sealed_and_not_the_keys(tmp_path: Path) -> None:
    with served(tmp_path / "data") as town:
        kept, forgotten = (called(town)["incident"]["id"] for _ in range(2))
        backup, _ = take_backup(town.data_dir, tmp_path / "backup", say=lambda _text: None)
    assert (backup / CALLERS_FILE).is_file()
    assert not (backup / KEYS_FILE).exists()
    old, new = str(tmp_path / "data"), tmp_path / "new"
    assert main(["callers", "forget", "--data", old, "--incident", forgotten]) == 0
    put_back(backup, new, key=None, say=lambda _text: None)
    with served(new) as town:
        problem = assert_problem(
            town.client().get(f"/v1/incidents/{kept}/caller"), 404, "caller_not_kept"
        )
        assert KEYS_FILE in problem["detail"]
    # Whoever restores beside the old folder brings its keys along, less those that were dropped.
    (new / KEYS_FILE).write_bytes((tmp_path / "data" / KEYS_FILE).read_bytes())
    with served(new) as town:
        assert town.client().get(f"/v1/incidents/{kept}/caller").json()["phone"] == PHONE
        assert_problem(
            town.client().get(f"/v1/incidents/{forgotten}/caller"), 404, "caller_not_kept"
        )


@pytest.mark.parametrize(
    ("phone", "status"),
    [
        ("+86 138 0000 0000", 200),
        ("(0739)5361234", 200),
        ("*110#", 200),
        ("()", 422),
        ("13800000000 转 2", 422),
        ("1" * 33, 422),
    ],
)
def test_how_a_number_may_be_written(town: HttpTown, phone: str, status: int) -> None:
    body = {"location": lon_lat(0, 0), "category": "help", "caller": {"phone": phone}}
    reply = town.client().post("/v1/recommendations", json=body)
    assert reply.status_code == status
    assert phone not in reply.text
