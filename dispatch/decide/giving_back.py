"""A lent unit goes back to its own area: at somebody's word, or when its time is over."""

from __future__ import annotations

from dispatch.decide.draft import Draft
from dispatch.events import LoanEnded
from dispatch.resources import UnitOnBoard


def give_back(draft: Draft, unit: UnitOnBoard, *, expired: bool) -> None:
    """Records the end of a loan."""
    draft.record(
        LoanEnded(at_ms=draft.now_ms, unit_id=unit.unit_id, area_id=unit.area_id, expired=expired)
    )


def give_back_who_is_due(draft: Draft) -> None:
    """Gives back all whose time is over and who are bound to nothing; who is bound finishes."""
    due = [
        unit
        for unit in draft.board.units.values()
        if unit.loan is not None
        and unit.loan.until_ms is not None
        and unit.loan.until_ms <= draft.now_ms
        and unit.assignment_id is None
    ]
    for unit in due:
        give_back(draft, unit, expired=True)
