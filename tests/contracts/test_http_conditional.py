"""Versions, ETags and If-Match."""

from __future__ import annotations

import pytest

from tests.contracts.http_town import HttpTown, assert_problem


def test_a_change_needs_if_match(town: HttpTown) -> None:
    incident = town.report()["incident"]
    reply = town.client().patch(f"/v1/incidents/{incident['id']}", json={"priority": 1})
    assert_problem(reply, 428, "precondition_required")


@pytest.mark.parametrize("tag", ['"1"', "1", '"none of ours"', 'W/"3"', '"999"'])
def test_a_stale_or_strange_tag_gets_the_current_resource(town: HttpTown, tag: str) -> None:
    incident = town.report()["incident"]
    assert incident["version"] not in (1, 999)
    reply = town.client().patch(
        f"/v1/incidents/{incident['id']}", json={"priority": 1}, headers={"If-Match": tag}
    )
    problem = assert_problem(reply, 412, "version_stale")
    assert problem["current"] == incident
    assert reply.headers["etag"] == f'"{incident["version"]}"'


def test_the_tag_that_was_read_is_taken(town: HttpTown) -> None:
    incident = town.report()["incident"]
    path = f"/v1/incidents/{incident['id']}"
    read = town.client().get(path)
    assert read.headers["etag"] == f'"{incident["version"]}"'
    changed = town.client().patch(
        path, json={"priority": 1}, headers={"If-Match": read.headers["etag"]}
    )
    assert changed.status_code == 200
    assert changed.json()["priority"] == 1
    assert changed.json()["version"] > incident["version"]
    assert changed.headers["etag"] == f'"{changed.json()["version"]}"'


def test_a_resource_that_is_known_already_is_not_sent_again(town: HttpTown) -> None:
    reported = town.report()
    for path in (
        f"/v1/incidents/{reported['incident']['id']}",
        f"/v1/assignments/{reported['assignments'][0]['id']}",
    ):
        tag = town.client().get(path).headers["etag"]
        again = town.client().get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert town.client().get(path, headers={"If-None-Match": '"0"'}).status_code == 200


def test_a_stale_if_match_is_honoured_where_it_is_not_required(town: HttpTown) -> None:
    incident = town.report()["incident"]
    path = f"/v1/incidents/{incident['id']}/close"
    stale = town.client().post(path, json={}, headers={"If-Match": '"1"'})
    assert_problem(stale, 412, "version_stale")


def test_assigning_by_hand_needs_if_match(town: HttpTown) -> None:
    incident = town.report(dispatch="manual")["incident"]
    path = f"/v1/incidents/{incident['id']}/assignments"
    assert_problem(town.client().post(path, json={}), 428, "precondition_required")
    tag = {"If-Match": f'"{incident["version"]}"'}
    sent = town.client().post(path, json={"unit_id": "P03-C1"}, headers=tag)
    assert sent.status_code == 201, sent.text
    assert sent.json()["unit_id"] == "P03-C1"
    assert sent.json()["incident"]["assignments"] == [sent.json()["id"]]
    assert sent.headers["etag"] == f'"{sent.json()["version"]}"'


def test_a_step_s_time_is_set_right_and_the_first_one_stays(town: HttpTown) -> None:
    order = town.report()["assignments"][0]
    path = f"/v1/assignments/{order['id']}"
    done = town.client().post(f"{path}/arrive", json={}).json()
    right = {"stamp": "arrived", "at": order["dispatched_at"], "reason": "手误"}
    assert_problem(
        town.client().post(f"{path}/corrections", json=right), 428, "precondition_required"
    )
    stale = town.client().post(f"{path}/corrections", json=right, headers={"If-Match": '"1"'})
    assert assert_problem(stale, 412, "version_stale")["current"]["id"] == order["id"]
    tag = {"If-Match": f'"{done["version"]}"'}
    early = {**right, "at": "2020-01-01T00:00:00Z"}
    reply = town.client().post(f"{path}/corrections", json=early, headers=tag)
    assert_problem(reply, 422, "bad_stamp")
    late = {**right, "stamp": "cleared"}
    reply = town.client().post(f"{path}/corrections", json=late, headers=tag)
    assert_problem(reply, 422, "bad_stamp")
    reply = town.client().post(f"{path}/corrections", json=right, headers=tag)
    assert reply.status_code == 200, reply.text
    corrected = reply.json()
    assert corrected["arrived_at"] == order["dispatched_at"]
    assert corrected["stamps"]["arrived"]["first_at"] == done["arrived_at"]
    assert corrected["version"] > done["version"]
    assert town.client().get(path).json()["arrived_at"] == order["dispatched_at"]
