"""The pure decisions: `decide(board, question, context) -> Decision`.

Given the same three it always gives the same answer: no clock, no chance, no disk. A question that
cannot be granted raises an error of `dispatch.errors` and nothing has changed.
"""

from __future__ import annotations

from typing import assert_never

from dispatch.board import Board
from dispatch.decide.alarms import look_for_alarms
from dispatch.decide.assign import assign
from dispatch.decide.context import Context, Decision
from dispatch.decide.corrections import correct
from dispatch.decide.draft import Draft
from dispatch.decide.incidents import add_note, amend, cancel, close, merge, nudge, reopen
from dispatch.decide.loans import end_loan, lend
from dispatch.decide.report import recommend, report
from dispatch.decide.roads import (
    close_road,
    lift_speed_factor,
    recheck_routes,
    reopen_road,
    set_speed_factor,
)
from dispatch.decide.stamps import decline, stamp
from dispatch.decide.timers import next_due_ms, pass_time
from dispatch.decide.units import set_status
from dispatch.questions import (
    AddNote,
    AmendIncident,
    AssignUnit,
    CancelIncident,
    CloseIncident,
    CloseRoad,
    CorrectStamp,
    DeclineAssignment,
    EndLoan,
    LendUnit,
    LiftSpeedFactor,
    LookForAlarms,
    MergeIncident,
    NudgeIncident,
    PassTime,
    Question,
    RecheckRoutes,
    Recommend,
    ReopenIncident,
    ReopenRoad,
    ReportIncident,
    SetSpeedFactor,
    SetUnitStatus,
    StampAssignment,
)

__all__ = ["Context", "Decision", "decide", "next_due_ms"]


def decide(board: Board, question: Question, context: Context) -> Decision:  # noqa: C901, PLR0911, PLR0912 - one case a question
    """What comes of the question.

    Args:
        board: All that is open now.
        question: What is asked.
        context: The time, the settings, the roads, and the closed incident it is about.

    Raises:
        DispatchError: It cannot be granted; nothing has changed.
    """
    draft = Draft(board, context)
    match question:
        case ReportIncident():
            return report(draft, question)
        case Recommend():
            return recommend(draft, question)
        case StampAssignment():
            return stamp(draft, question)
        case PassTime():
            return pass_time(draft)
        case SetUnitStatus():
            return set_status(draft, question)
        case LendUnit():
            return lend(draft, question)
        case EndLoan():
            return end_loan(draft, question)
        case AssignUnit():
            return assign(draft, question)
        case DeclineAssignment():
            return decline(draft, question)
        case CorrectStamp():
            return correct(draft, question)
        case AmendIncident():
            return amend(draft, question)
        case CloseIncident():
            return close(draft, question)
        case CancelIncident():
            return cancel(draft, question)
        case ReopenIncident():
            return reopen(draft, question)
        case NudgeIncident():
            return nudge(draft, question)
        case MergeIncident():
            return merge(draft, question)
        case AddNote():
            return add_note(draft, question)
        case CloseRoad():
            return close_road(draft, question)
        case ReopenRoad():
            return reopen_road(draft, question)
        case SetSpeedFactor():
            return set_speed_factor(draft, question)
        case LiftSpeedFactor():
            return lift_speed_factor(draft, question)
        case RecheckRoutes():
            return recheck_routes(draft, question)
        case LookForAlarms():
            return look_for_alarms(draft, question)
        case _:
            assert_never(question)
