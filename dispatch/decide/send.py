"""Sending: from a choice to the receipt and the orders; and the queue, served when units free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dispatch.board import queue, served_by_itself
from dispatch.changed import quickly_made
from dispatch.decide.choose import Choice, Pick, Wish, choose, free_units
from dispatch.decide.draft import Draft
from dispatch.decide.giving_back import give_back_who_is_due
from dispatch.events import UnitDispatched, UnitsChosen
from dispatch.facts import Recommendation
from dispatch.resources import Assignment, Incident
from dispatch.rules import kinds_of
from dispatch.words import (
    ANY_PATROL,
    AssignmentId,
    AssignmentState,
    ChosenBy,
    IncidentId,
    UnixMs,
)
from platforms.categories import UnitKind


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How units are to be sent.

    Attributes:
        by: What leads to it.
        wanted: Units by kind.
        required: What the incident requires from now on; None leaves it.
        unanswered: The assignment a substitute is sought for, or None.
        even_if_nobody: Whether a receipt is written when nobody can go.
    """

    by: ChosenBy
    wanted: Mapping[str, int]
    required: Mapping[str, int] | None = None
    unanswered: AssignmentId | None = None
    even_if_nobody: bool = True


def wish_for(draft: Draft, incident: Incident, wanted: Mapping[str, int]) -> Wish:
    """What is looked for, for an incident on the board."""
    return Wish(
        location=incident.location,
        wanted=wanted,
        without=incident.not_again,
        waited_s=waited_s(draft, incident),
        k=draft.context.rules.candidates_k,
    )


def waited_s(draft: Draft, incident: Incident) -> float:
    """Seconds of the promise gone if a unit is ordered now: 0 where the order starts the clock."""
    deadline_ms = _deadline_ms(draft, incident)
    if deadline_ms is None or incident.location.target_s is None:
        return 0.0
    return incident.location.target_s - (deadline_ms - draft.now_ms) / 1000


def send(draft: Draft, incident: Incident, order: Order) -> Choice:
    """Chooses and orders the nearest units."""
    choice = choose(draft.board, draft.context, wish_for(draft, incident, order.wanted))
    if choice.picks or order.even_if_nobody:
        carry_out(draft, incident, order, choice)
    return choice


def carry_out(draft: Draft, incident: Incident, order: Order, choice: Choice) -> None:
    """Records the receipt, then one order for each pick."""
    roads = draft.context.roads.road_state
    draft.record(
        UnitsChosen(
            at_ms=draft.now_ms,
            incident_id=incident.incident_id,
            by=order.by,
            candidates=choice.candidates,
            chosen=tuple(pick.candidate.unit_id for pick in choice.picks),
            why=choice.why,
            shortfall=choice.shortfall,
            target_s=incident.location.target_s,
            clock=incident.clock,
            required=incident.required if order.required is None else order.required,
            unanswered=order.unanswered,
            road_version=roads.road_version,
            conditions_version=roads.conditions_version,
        )
    )
    for pick in choice.picks:
        _dispatch(draft, incident.incident_id, order.by, pick)


def serve_queue(
    draft: Draft, *, asked: IncidentId | None = None, by: ChosenBy = ChosenBy.QUEUE
) -> None:
    """Sends free units to the incidents that wait, most pressing first.

    Who was lent until now goes home before: sent once more, it would stay away for as long as
    anything waits there.

    Args:
        draft: The decision so far.
        asked: The incident that the question is about: it gets a receipt even if nobody can go.
        by: What leads to orders for that incident.
    """
    give_back_who_is_due(draft)
    for waiting in queue(draft.board, draft.now_ms):
        if not served_by_itself(waiting):
            continue
        wanted = waiting.unmet
        concerned = waiting.incident_id == asked
        if not concerned and not _somebody_may_go(draft, waiting, wanted):
            continue
        order = Order(
            by=by if concerned else ChosenBy.QUEUE, wanted=wanted, even_if_nobody=concerned
        )
        choice = send(draft, waiting, order)
        if concerned:
            draft.recommendation = receipt(draft, waiting, choice)


def receipt(draft: Draft, incident: Incident, choice: Choice) -> Recommendation:
    """The choice as clients see it."""
    roads = draft.context.roads.road_state
    return Recommendation(
        incident_id=incident.incident_id,
        decided_at_ms=draft.now_ms,
        target_s=incident.location.target_s,
        clock=incident.clock,
        candidates=choice.candidates,
        chosen=tuple(pick.candidate.unit_id for pick in choice.picks),
        why=choice.why,
        shortfall=choice.shortfall,
        road_version=roads.road_version,
        conditions_version=roads.conditions_version,
    )


def _somebody_may_go(draft: Draft, incident: Incident, wanted: Mapping[str, int]) -> bool:
    kinds = {kind for key in wanted for kind in kinds_of(key)}
    if ANY_PATROL in wanted and draft.context.rules.command_vehicle_last_resort:
        kinds.add(UnitKind.COMMAND_VEHICLE)
    return bool(
        free_units(draft.board, draft.context.rules, incident.location, kinds, incident.not_again)
    )


def _deadline_ms(draft: Draft, incident: Incident) -> UnixMs | None:
    """When the promise ends for a unit ordered now."""
    target_s = incident.location.target_s
    if target_s is None:
        return None
    promised_ms = incident.deadline_ms
    # Once police were seen the promise is kept or broken: who comes after has a time of their own.
    if promised_ms is None or incident.arrived_at_ms is not None:
        return UnixMs(draft.now_ms + target_s * 1000)
    return promised_ms


def _dispatch(draft: Draft, incident_id: IncidentId, by: ChosenBy, pick: Pick) -> None:
    incident = draft.board.incidents[incident_id]
    candidate, reach = pick.candidate, pick.reach
    roads = draft.context.roads.road_state
    silent = _unanswered(draft, incident, pick.fills)
    draft.record(
        UnitDispatched(
            at_ms=draft.now_ms,
            assignment_id=draft.next_assignment_id(),
            incident_id=incident_id,
            unit_id=candidate.unit_id,
            by=by,
            fills=pick.fills,
            replaces=None if silent is None else silent.assignment_id,
            travel_s=candidate.travel_s,
            turnout_s=candidate.turnout_s,
            eta_s=candidate.eta_s,
            eta_at_ms=UnixMs(draft.now_ms + round(candidate.eta_s * 1000)),
            distance_m=candidate.distance_m,
            target_s=candidate.target_s,
            deadline_ms=_deadline_ms(draft, incident),
            margin_s=candidate.margin_s,
            on_target_predicted=candidate.on_target,
            arcs=reach.arcs,
            start_offset_m=reach.start_offset_m,
            end_offset_m=reach.end_offset_m,
            road_version=roads.road_version,
            conditions_version=roads.conditions_version,
        )
    )


def _unanswered(draft: Draft, incident: Incident, fills: str) -> Assignment | None:
    """The oldest unanswered order of this kind for which nobody stands in yet."""
    assignments = draft.board.assignments_of(incident)
    stood_in = {one.replaces for one in assignments if one.state.is_active}
    return next(
        (
            one
            for one in assignments
            if one.state is AssignmentState.DISPATCHED
            and one.substitute_sought
            and one.fills == fills
            and one.assignment_id not in stood_in
        ),
        None,
    )
