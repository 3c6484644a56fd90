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
