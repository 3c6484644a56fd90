"""Which alarms begin and end now."""

from __future__ import annotations

from dispatch.alarms import alarm_id
from dispatch.decide.context import Decision
from dispatch.decide.draft import Draft
from dispatch.decide.violations import violations
from dispatch.events import AlarmCleared, AlarmRaised
from dispatch.questions import LookForAlarms

RAISED_AT_ONCE = 50
"""Alarms raised in one look; what a city-wide failure brings beyond that comes a second later."""


def look_for_alarms(draft: Draft, question: LookForAlarms) -> Decision:
    """Raises an alarm for each new violation and clears those whose violation is over."""
    found = {
        alarm_id(one.kind, one.about): one
        for one in violations(
            draft.board,
            question.around,
            now_ms=draft.now_ms,
            rules=draft.context.rules,
            limits=question.limits,
        )
    }
    held = draft.board.alarms
    for key in sorted(held.keys() - found.keys()):
        over = held[key]
        # A clock set back must not make it negative.
        lasted_s = max(0.0, (draft.now_ms - over.raised_at_ms) / 1000)
        draft.record(
            AlarmCleared(at_ms=draft.now_ms, kind=over.kind, about=over.about, lasted_s=lasted_s)
        )
    for key in sorted(found.keys() - held.keys())[:RAISED_AT_ONCE]:
        new = found[key]
        draft.record(AlarmRaised(at_ms=draft.now_ms, kind=new.kind, about=new.about, why=new.why))
    return draft.finish()
