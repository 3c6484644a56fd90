"""A call comes in, or somebody asks who would go."""

from __future__ import annotations

from dispatch.board import queue
from dispatch.decide.choose import Choice, Wish, choose
from dispatch.decide.context import Decision
from dispatch.decide.draft import Draft
from dispatch.decide.required import required_or_default
from dispatch.decide.send import Order, carry_out, receipt, wish_for
from dispatch.errors import QueueFull
from dispatch.events import IncidentReceived
from dispatch.facts import Recommendation
from dispatch.questions import Recommend, ReportIncident
from dispatch.words import ChosenBy, DispatchMode, UnixMs


def report(draft: Draft, question: ReportIncident) -> Decision:
    """Records the call; in `auto` mode sends the units it needs, as far as there are any.

    Raises:
        BadRequirement: Units are asked for that cannot be.
        QueueFull: Too many incidents are open or wait.
    """
    rules = draft.context.rules
    required = required_or_default(question.required, rules)
    _check_room(draft)
    received_ms = draft.now_ms if question.received_at_ms is None else question.received_at_ms
    incident_id = draft.next_incident_id()
    draft.record(
        IncidentReceived(
            at_ms=UnixMs(min(received_ms, draft.now_ms)),
            incident_id=incident_id,
            incident_no=draft.next_incident_no(),
            location=question.location,
            category=question.category,
            priority=question.priority,
            description=question.description,
            source=question.source,
            occurred_at_ms=question.occurred_at_ms,
            reported_at_ms=question.reported_at_ms,
            mode=question.mode,
            required=required,
            clock=rules.clock,
        )
    )
    if required:
        incident = draft.board.incidents[incident_id]
        choice = choose(draft.board, draft.context, wish_for(draft, incident, required))
        if question.mode is DispatchMode.AUTO:
            carry_out(draft, incident, Order(by=ChosenBy.AUTO, wanted=required), choice)
            draft.recommendation = draft.board.incidents[incident_id].recommendation
        else:
            draft.recommendation = receipt(draft, incident, _for_a_dispatcher(choice))
    return draft.finish(incident_id=incident_id)


def recommend(draft: Draft, question: Recommend) -> Decision:
    """Says who would go; changes nothing.

    Raises:
        BadRequirement: Units are asked for that cannot be.
        IncidentUnknown: `incident_id` names no open incident.
    """
    rules = draft.context.rules
    incident = None if question.incident_id is None else draft.incident(question.incident_id)
    k = rules.candidates_k if question.k is None else question.k
    choice = choose(
        draft.board,
        draft.context,
        Wish(
            location=question.location,
            wanted=required_or_default(question.required, rules),
            without=() if incident is None else incident.not_again,
            k=min(k, rules.candidates_max),
            with_routes=True,
        ),
    )
    roads = draft.context.roads.road_state
    draft.recommendation = Recommendation(
        incident_id=question.incident_id,
        decided_at_ms=draft.now_ms,
        target_s=question.location.target_s,
        clock=rules.clock,
        candidates=choice.candidates,
        chosen=tuple(pick.candidate.unit_id for pick in choice.picks),
        why=choice.why,
        shortfall=choice.shortfall,
        road_version=roads.road_version,
        conditions_version=roads.conditions_version,
    )
    return draft.finish(incident_id=question.incident_id)


def _for_a_dispatcher(choice: Choice) -> Choice:
    """The same without picks: a dispatcher decides."""
    return Choice(
        picks=(),
        candidates=choice.candidates,
        shortfall=choice.shortfall,
        why=f"waits for a dispatcher; {choice.why}",
    )


def _check_room(draft: Draft) -> None:
    rules, board = draft.context.rules, draft.board
    if len(board.incidents) >= rules.open_incidents_max:
        raise QueueFull(what="open incidents", limit=rules.open_incidents_max)
    # Counting who waits is left out while even all open incidents would fit the queue.
    if len(board.incidents) >= rules.waiting_max:
        waiting = len(queue(board, draft.now_ms))
        if waiting >= rules.waiting_max:
            raise QueueFull(what="waiting incidents", limit=rules.waiting_max)
