"""The dashboard and the alert rules ask for figures that a running service really gives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatch.alarms import AlarmKind
from tests.contracts.http_town import HttpTown, served

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations"
HOW_TO = OPERATIONS.parent / "how-to" / "watch-the-service.md"
NAME = re.compile(r"kuaijing_[a-z0-9_]+")
SAMPLE = re.compile(r"^(kuaijing_[a-z0-9_]+)(?:\{(.*)\})? ")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ASKED_LABEL = re.compile(r'([a-z_]+)=~?"([^"$]*)"')


def panels() -> list[dict[str, Any]]:
    text = (OPERATIONS / "grafana-dashboard.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)["panels"]
    return [one for one in found if one["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    text = (OPERATIONS / "alerts.yaml").read_text(encoding="utf-8")
    return [one for group in yaml.safe_load(text)["groups"] for one in group["rules"]]


def expressions() -> Iterator[str]:
    yield from (target["expr"] for panel in panels() for target in panel["targets"])
    yield from (rule["expr"] for rule in rules())


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every figure of a service that took a call and finished it, and a sample of its labels."""
    with served(tmp_path_factory.mktemp("figures") / "data", watched=True) as town:
        _work(town)
        text = town.client().get("/metrics").text
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            # Known although nothing was counted yet, as a promise that was missed.
            _, _, name, kind = line.split(" ")
            ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            found |= {f"{name}{end}": found.get(f"{name}{end}", "") for end in ends}
        elif sample := SAMPLE.match(line):
            found[sample[1]] = f"{found.get(sample[1], '')},{sample[2] or ''}"
    return found


def _work(town: HttpTown) -> None:
    order = town.report(0, 0)["assignments"][0]["id"]
    for step in ("arrive", "clear"):
        assert town.client().post(f"/v1/assignments/{order}/{step}", json={}).status_code == 200


def test_every_figure_that_is_asked_for_is_exported(exported: dict[str, str]) -> None:
    asked = {name for text in expressions() for name in NAME.findall(text)}
    assert len(asked) > 25
    assert sorted(asked - exported.keys()) == []


def test_every_label_that_is_asked_for_can_be_there(exported: dict[str, str]) -> None:
    """A misspelt label asks for a series that never comes, and nobody would notice."""
    for text in expressions():
        for name, labels in re.findall(r"(kuaijing_[a-z0-9_]+)\{([^}]*)\}", text):
            for label, values in ASKED_LABEL.findall(labels):
                shown = exported[name]
                assert f'{label}="' in shown, f"{name} has no {label}: {text}"
                if label != "on_target":
                    for value in values.split("|"):
                        assert f'{label}="{value}"' in shown, f"{name} has no {label}={value}"


def test_the_dashboard_can_be_read() -> None:
    text = (OPERATIONS / "grafana-dashboard.json").read_text(encoding="utf-8")
    board = json.loads(text)
    assert {"title", "uid", "schemaVersion", "templating", "panels", "time"} <= board.keys()
    ids = [one["id"] for one in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in panels():
        assert panel["targets"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert all(one["expr"] and one["refId"] for one in panel["targets"]), panel["title"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        # Chinese for the control room, English beside for whoever helps.
        assert CHINESE.search(panel["title"]), panel["title"]
        assert re.search(r"[A-Z][a-z]", panel["title"]), panel["title"]


def test_each_alert_says_when_how_grave_and_what_to_do() -> None:
    names = [one["alert"] for one in rules()]
    assert len(names) == len(set(names))
    how_to = HOW_TO.read_text(encoding="utf-8")
    for rule in rules():
        assert re.fullmatch(r"\d+[smh]", rule["for"]), rule["alert"]
        assert rule["labels"]["severity"] in {"page", "warn", "info"}, rule["alert"]
        assert CHINESE.search(rule["annotations"]["summary"]), rule["alert"]
        assert len(rule["annotations"]["runbook"]) > 60, rule["alert"]
        assert f"`{rule['alert']}`" in how_to, rule["alert"]


def test_every_alarm_of_the_service_has_an_alert() -> None:
    asked = " ".join(rule["expr"] for rule in rules())
    # The jump of a clock is asked for by its size.
    others = [kind for kind in AlarmKind if kind is not AlarmKind.CLOCK_JUMPED]
    assert [kind for kind in others if kind.value not in asked] == []
    assert "kuaijing_clock_jump_seconds" in asked
