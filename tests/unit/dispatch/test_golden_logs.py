"""The log of every released version replays to the board that it led to then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dispatch.board import open_board
from dispatch.codec import board_hash, decode_event
from dispatch.evolve import evolve
from tests.golden.record_day import record
from tests.shell_town import make_city, run

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("log_v*.jsonl")), ids=lambda path: path.stem)
def test_a_recorded_log_replays_to_the_same_board(path: Path) -> None:
    first, *rows = path.read_text(encoding="utf-8").splitlines()
    head = json.loads(first)
    board = open_board(make_city())
    for seq, row in enumerate(rows, start=1):
        board = evolve(board, decode_event(seq, row.encode()))
    assert board.seq == head["events"]
    assert board_hash(board) == head["board_sha256"]


def test_the_golden_log_holds_nearly_every_kind_of_event() -> None:
    rows = (GOLDEN / "log_v1.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    kinds = {json.loads(row)["type"] for row in rows}
    assert len(kinds) >= 24, sorted(kinds)


def test_the_same_day_leads_to_the_same_board_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        boards = []
        for name in ("one", "two"):
            runner = await record(tmp_path / name)
            boards.append(runner.board)
            await runner.close()
        assert board_hash(boards[0]) == board_hash(boards[1])

    run(scenario)
