"""No line of the log holds a token or a caller's number, whoever wrote it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from api.http.app import Watch
from api.log import configure_log, redacted, without_secrets
from api.settings import Logging

SECRET = "ab" * 32
TOKEN = f"sy_vehicle_3f9a0c12_{SECRET}"
PHONES = (
    "13873912345",
    "138 7391 2345",
    "138-7391-2345",
    "+8613873912345",
    "+86 13873912345",
    "0739-5123456",
    "0739-51234567",
)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger without the handlers of the test runner."""
    logger = logging.getLogger()
    kept, logger.handlers = logger.handlers, []
    yield logger
    logger.handlers = kept
    structlog.reset_defaults()


@pytest.mark.parametrize("phone", PHONES)
@pytest.mark.parametrize("around", ["{}", "tel:{}.", "电话{}，", "/v1/places/{}/x", "q={}&a=1"])
def test_numbers_are_cut_out_wherever_they_stand(phone: str, around: str) -> None:
    text = redacted(around.format(phone))
    assert phone[-4:] not in text
    assert "☎…" in text


@pytest.mark.parametrize(
    "text", ["1767225600000", "111.46154321098", "27.13873912345", "P01-C1", "20261127181004"]
)
def test_times_places_and_ids_stay(text: str) -> None:
    assert redacted(text) == text


def test_secrets_are_found_however_deep() -> None:
    event = without_secrets(
        None,
        "info",
        {
            "event": f"GET /osmand?id={TOKEN}",
            "deep": [{"a": (TOKEN, 3)}, {TOKEN: None}],
            "error": ValueError(TOKEN),
            "n": 3,
            "at_ms": 1_767_225_600_000,
        },
    )
    assert SECRET not in str(event)
    assert (event["n"], event["at_ms"]) == (3, 1_767_225_600_000)


@pytest.mark.parametrize("as_json", [True, False])
def test_an_error_of_ours_is_logged_without_what_it_was_about(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    configure_log(Logging(level="debug", access=True, json=as_json))
    watch = Watch.__new__(Watch)
    watch._log = structlog.get_logger("http")
    scope = {
        "method": "GET",
        "path": f"/v1/units/{TOKEN}",
        "query_string": b"q=canary",
        "request_id": "r1",
    }
    try:
        int(f"{TOKEN} called from {PHONES[0]}")
    except ValueError as error:
        watch.request_failed(scope, error)
        logging.getLogger("uvicorn.error").exception("%s in %s", PHONES[1], TOKEN)
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "Traceback" in said
    assert "r1" in said
    for canary in (SECRET, PHONES[0], PHONES[1], "canary"):
        assert canary not in said
    if as_json:
        assert json.loads(said.splitlines()[0])["event"] == "request_failed"
