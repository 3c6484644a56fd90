"""Whoever adds a setting, a route, a command or a kind of event writes it into docs/reference."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from api.cli import build_parser
from api.http.app import ROUTERS
from api.settings import SECTIONS
from dispatch.events import EVENT_KINDS

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def _commands(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, list[str]]]:
    branches = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    for branch in branches:
        for name, child in branch.choices.items():
            yield from _commands(child, f"{path} {name}")
    if not branches:
        options = [text for one in parser._actions for text in one.option_strings]
        yield path, [text for text in options if text.startswith("--") and text != "--help"]


def test_every_setting_is_documented() -> None:
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    for section, shape in SECTIONS.items():
        part = text.partition(f"## [{section}]")[2].partition("\n## ")[0]
        missing = [one.name for one in fields(shape) if f"`{one.name}`" not in part]
        assert not missing, f"docs/reference/settings.md, section [{section}]: {missing}"


def test_every_route_is_documented() -> None:
    text = (REFERENCE / "http.md").read_text(encoding="utf-8")
    routes = [
        f"`{method} {route.path}`"
        for router in ROUTERS
        for route in router.routes
        for method in route.methods - {"HEAD"}
    ]
    assert [route for route in routes if route not in text] == []


def test_every_kind_of_event_is_documented() -> None:
    text = (REFERENCE / "events.md").read_text(encoding="utf-8")
    assert [kind for kind in EVENT_KINDS if f"`{kind}`" not in text] == []


@pytest.mark.parametrize(("command", "options"), [*_commands(build_parser(), "kuaijing")])
def test_every_command_is_documented(command: str, options: list[str]) -> None:
    text = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    assert f"## `{command}`\n" in text
    part = text.partition(f"## `{command}`\n")[2].partition("\n## ")[0]
    assert [option for option in options if f"`{option}`" not in part] == []
