"""A unit serves another area for a while: lent, and given back."""

from __future__ import annotations

from dispatch.decide.context import Decision
from dispatch.decide.draft import Draft, check_version
from dispatch.decide.giving_back import give_back
from dispatch.decide.send import serve_queue
from dispatch.errors import BadLoan, BadPeriod, StateConflict
from dispatch.events import UnitLent
from dispatch.questions import EndLoan, LendUnit


def lend(draft: Draft, question: LendUnit) -> Decision:
    """Lets the unit be sent in another area, and there only; it serves that area's queue at once.

    A unit that is bound finishes where it is: its next order is the other area's.

    Raises:
        UnitUnknown: No such unit.
        VersionStale: Somebody changed the unit meanwhile.
        StateConflict: It is lent already.
        BadLoan: The area is its own.
        BadPeriod: The loan would be over already.
    """
    unit = draft.unit(question.unit_id)
    check_version(unit.unit_id, unit, question.if_version)
    if unit.loan is not None:
        raise StateConflict(
            unit.unit_id, state=f"lent to {unit.area_id}", why="end that loan before you lend it"
        )
    if question.area_id == unit.area_id:
        raise BadLoan(unit.unit_id, area_id=question.area_id)
    if question.until_ms is not None and question.until_ms <= draft.now_ms:
        raise BadPeriod(over_s=(draft.now_ms - question.until_ms) / 1000)
    draft.record(
        UnitLent(
            at_ms=draft.now_ms,
            unit_id=unit.unit_id,
            area_id=question.area_id,
            until_ms=question.until_ms,
            reason=question.reason,
        )
    )
    serve_queue(draft)
    return draft.finish(unit_id=unit.unit_id)


def end_loan(draft: Draft, question: EndLoan) -> Decision:
    """Gives the unit back to its own area, whose queue it serves at once.

    Raises:
        UnitUnknown: No such unit.
        VersionStale: Somebody changed the unit meanwhile.
        StateConflict: It is not lent.
    """
    unit = draft.unit(question.unit_id)
    check_version(unit.unit_id, unit, question.if_version)
    if unit.loan is None:
        raise StateConflict(unit.unit_id, state=f"in {unit.area_id}", why="it is not lent")
    give_back(draft, unit, expired=False)
    serve_queue(draft)
    return draft.finish(unit_id=unit.unit_id)
