"""A dispatcher sends a unit: one by name, or the next best."""

from __future__ import annotations

from dispatch.decide.choose import Choice, Pick, choose, in_serving_order, reason_of, weigh
from dispatch.decide.context import Decision
from dispatch.decide.draft import Draft
from dispatch.decide.required import key_filled, key_of, one_more
from dispatch.decide.send import Order, carry_out, receipt, wish_for
from dispatch.errors import NoUnitFree, NoWay, UnitOffDuty, UnitTaken
from dispatch.facts import Candidate
from dispatch.questions import AssignUnit
from dispatch.resources import Incident, UnitOnBoard
from dispatch.words import ANY_PATROL, ChosenBy, UnitId


def assign(draft: Draft, question: AssignUnit) -> Decision:
    """Sends the unit named, or the next best for what is still wanted, or one more.

    Raises:
        IncidentUnknown, StateConflict, VersionStale: The incident cannot be changed so.
        UnitUnknown: No such unit.
        UnitTaken: The unit is bound already.
        UnitOffDuty: The unit has no crew.
        NoWay: The unit cannot reach the incident.
        NoUnitFree: Nobody is left (next best only).
    """
    incident = draft.incident(question.incident_id, question.if_version)
    if question.unit_id is None:
        _next_best(draft, incident)
    else:
        _by_name(draft, incident, question.unit_id)
    return draft.finish(incident_id=incident.incident_id)


def _next_best(draft: Draft, incident: Incident) -> None:
    wanted = incident.unmet
    key = in_serving_order(wanted)[0] if wanted else ANY_PATROL
    choice = choose(draft.board, draft.context, wish_for(draft, incident, {key: 1}))
    if not choice.picks:
        raise NoUnitFree(incident.incident_id)
    required = incident.required if wanted else one_more(incident.required, key)
    order = Order(by=ChosenBy.AUTO, wanted={key: 1}, required=required)
    _carry_out(draft, incident, order, choice)


def _by_name(draft: Draft, incident: Incident, unit_id: UnitId) -> None:
    unit = draft.unit(unit_id)
    wanted = incident.unmet
    key = key_filled(wanted, unit.kind)
    fills = key_of(unit.kind) if key is None else key
    wish = wish_for(draft, incident, {fills: 1})
    others = choose(draft.board, draft.context, wish).candidates
    _check_unit(draft, unit, others)
    reach = draft.context.roads.travel(unit_id, incident.location)
    if reach is None:
        raise NoWay(unit_id, incident_id=incident.incident_id)
    candidate = weigh(unit, reach, draft.context, wish)
    rest = tuple(other for other in others if other.unit_id != unit_id)
    choice = Choice(
        picks=(Pick(fills=fills, candidate=candidate, reach=reach),),
        candidates=tuple(sorted((candidate, *rest), key=lambda one: (one.eta_s, one.unit_id))),
        shortfall=(),
        why=_why_by_hand(candidate, rest),
    )
    required = incident.required if key is not None else one_more(incident.required, fills)
    _carry_out(
        draft, incident, Order(by=ChosenBy.HAND, wanted={fills: 1}, required=required), choice
    )


def _carry_out(draft: Draft, incident: Incident, order: Order, choice: Choice) -> None:
    carry_out(draft, incident, order, choice)
    draft.recommendation = receipt(draft, incident, choice)


def _check_unit(draft: Draft, unit: UnitOnBoard, others: tuple[Candidate, ...]) -> None:
    if not unit.on_duty:
        raise UnitOffDuty(unit.unit_id, candidates=others)
    if unit.assignment_id is not None:
        raise UnitTaken(
            unit.unit_id,
            holder=draft.board.assignments[unit.assignment_id].incident_id,
            assignment_id=unit.assignment_id,
            candidates=others,
        )


def _why_by_hand(candidate: Candidate, rest: tuple[Candidate, ...]) -> str:
    why = f"sent by hand: {reason_of(candidate)}"
    if rest and rest[0].eta_s < candidate.eta_s:
        sooner_s = candidate.eta_s - rest[0].eta_s
        why += f" ({rest[0].unit_id} would be there {sooner_s:.0f} s sooner)"
    return why
