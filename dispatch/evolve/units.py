"""What happens to a unit by itself: its status, and which area it serves."""

from __future__ import annotations

from dispatch.board import Board
from dispatch.changed import changed
from dispatch.events import LoanEnded, UnitLent, UnitStatusChanged
from dispatch.facts import Loan
from dispatch.resources import UnitOnBoard


def status_changed(board: Board, event: UnitStatusChanged) -> Board:
    """It does something else now."""
    unit = board.units[event.unit_id]
    return _with(
        board,
        changed(
            unit,
            status=event.status,
            status_at_ms=event.at_ms,
            on_duty=event.on_duty,
            version=unit.version + 1,
        ),
    )


def lent(board: Board, event: UnitLent) -> Board:
    """It serves another area."""
    unit = board.units[event.unit_id]
    loan = Loan(
        home_area_id=unit.area_id,
        since_ms=event.at_ms,
        until_ms=event.until_ms,
        reason=event.reason,
    )
    return _with(board, changed(unit, area_id=event.area_id, loan=loan, version=unit.version + 1))


def loan_ended(board: Board, event: LoanEnded) -> Board:
    """It serves its own area again."""
    unit = board.units[event.unit_id]
    # A loan that is not there is no reason to distrust a log: the unit is home.
    home = unit.area_id if unit.loan is None else unit.loan.home_area_id
    return _with(board, changed(unit, area_id=home, loan=None, version=unit.version + 1))


def _with(board: Board, unit: UnitOnBoard) -> Board:
    return changed(board, units={**board.units, unit.unit_id: unit})
