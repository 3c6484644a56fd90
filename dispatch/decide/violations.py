"""What is wrong now: a pure look over the whole board and what is known beside it.

It takes some 1 µs for each unit, order and incident, so that it is simply done anew each second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dispatch.alarms import SERVICE, AlarmKind, AlarmRules, Surroundings, alarm_id
from dispatch.board import Assignment, Board, Incident
from dispatch.derived import ENDED, unmet_of
from dispatch.rules import Rules
from dispatch.words import AssignmentId, AssignmentState, IncidentStatus, UnitId, UnixMs

URGENT = 1
"""Priority of incidents that are never left without a unit."""

CALM = 0.5
"""A device's clock is right again only below this share of its bound: at the bound itself an alarm
would come and go with each fix."""


class Violation(NamedTuple):
    """One thing that is wrong."""

    kind: AlarmKind
    about: str
    why: str


def violations(
    board: Board, around: Surroundings, *, now_ms: UnixMs, rules: Rules, limits: AlarmRules
) -> Iterator[Violation]:
    """All that is wrong, each thing once.

    Args:
        board: All that is open now.
        around: What the board does not know.
        now_ms: The service's time.
        rules: Settings of the core.
        limits: When it is wrong.
    """
    yield from contradictions(board)
    for incident in board.incidents.values():
        if incident.priority == URGENT:
            yield from _unattended(board, incident, around, now_ms, limits.urgent_unattended_s)
    yield from _unanswered(board, now_ms, rules, limits.unacked_grace_s)
    yield from _clocks(board, around, limits.clock_skew_s)


def contradictions(board: Board) -> Iterator[Violation]:
    """Where the board contradicts itself: what no sequence of questions can bring about."""
    bound: dict[UnitId, AssignmentId] = {}
    twice: set[UnitId] = set()
    for one in board.assignments.values():
        if one.state.is_active:
            if one.unit_id in bound and one.unit_id not in twice:
                twice.add(one.unit_id)
                both = f"{bound[one.unit_id]} and {one.assignment_id}"
                why = f"unit {one.unit_id} is bound by {both} at once"
                yield Violation(AlarmKind.UNIT_DOUBLY_BOUND, one.unit_id, why)
            bound.setdefault(one.unit_id, one.assignment_id)
        yield from _adrift(board, one, twice)
    yield from _stuck(board)
    for incident in board.incidents.values():
        yield from _unqueued(board, incident)


def _adrift(board: Board, one: Assignment, twice: set[UnitId]) -> Iterator[Violation]:
    """An assignment that its incident or its unit does not know of."""
    incident = board.incidents.get(one.incident_id)
    about, why = one.assignment_id, ""
    if incident is None:
        why = f"{about} belongs to {one.incident_id}, which is not open"
    elif about not in incident.assignment_ids:
        why = f"{about} belongs to {one.incident_id}, which does not know of it"
    elif one.state.is_active and one.unit_id not in twice:
        unit = board.units.get(one.unit_id)
        if unit is None:
            why = f"{about} binds unit {one.unit_id}, which is not there"
        elif unit.assignment_id != about:
            why = f"{about} binds unit {one.unit_id}, which is at {unit.assignment_id or 'nothing'}"
    if why:
        yield Violation(AlarmKind.ASSIGNMENT_ADRIFT, about, why)


def _stuck(board: Board) -> Iterator[Violation]:
    """A unit bound by what has ended: it would never be sent again."""
    for unit in board.units.values():
        if unit.assignment_id is None:
            continue
        one = board.assignments.get(unit.assignment_id)
        if one is None or not one.state.is_active:
            state = "not there" if one is None else one.state.value
            why = f"unit {unit.unit_id} is bound by {unit.assignment_id}, which is {state}"
            yield Violation(AlarmKind.UNIT_STUCK, unit.unit_id, why)


def _unqueued(board: Board, incident: Incident) -> Iterator[Violation]:
    """An incident that wants units and that the queue does not show."""
    about = incident.incident_id
    if incident.status in ENDED:
        why = f"{about} is {incident.status} and still open"
        yield Violation(AlarmKind.INCIDENT_UNQUEUED, about, why)
        return
    if incident.unmet or not incident.required or incident.status is IncidentStatus.FED_BACK:
        return
    missing = unmet_of(incident.required, _current(board, incident))
    if missing:
        wanted = ", ".join(f"{count} {kind}" for kind, count in sorted(missing.items()))
        why = f"{about} waits for {wanted} and is in no queue"
        yield Violation(AlarmKind.INCIDENT_UNQUEUED, about, why)


def _current(board: Board, incident: Incident) -> Sequence[Assignment]:
    """Its orders since it was received or last reopened; those that are not there left out."""
    ids = incident.assignment_ids[incident.earlier_assignments :]
    return [board.assignments[key] for key in ids if key in board.assignments]


def _unattended(
    board: Board, incident: Incident, around: Surroundings, now_ms: UnixMs, limit_s: float
) -> Iterator[Violation]:
    """A grave incident that nobody whose position is known goes to, for too long."""
    if incident.status is IncidentStatus.FED_BACK:
        return
    if not incident.required and not incident.assignment_ids:
        return  # nobody is to come
    # Its life before it was reopened is no wait.
    since_ms, lost = incident.reopened_at_ms or incident.received_at_ms, []
    for one in _current(board, incident):
        if one.state is AssignmentState.CLEARED:
            return  # police were there
        if not one.state.is_active:
            since_ms = max(since_ms, one.ended_at_ms or since_ms)
            continue
        lost_ms = around.lost_since_ms.get(one.unit_id)
        if lost_ms is None:
            return
        lost.append(one.unit_id)
        since_ms = max(since_ms, lost_ms)
    for_s = (now_ms - since_ms) / 1000
    if for_s > limit_s:
        who = f"the position of {', '.join(lost)} is lost" if lost else "no unit goes to it"
        why = f"{incident.incident_no}, priority {URGENT}: {who}, for {for_s:.0f} s"
        yield Violation(AlarmKind.URGENT_UNATTENDED, incident.incident_id, why)


def _unanswered(board: Board, now_ms: UnixMs, rules: Rules, grace_s: float) -> Iterator[Violation]:
    """An order that no crew signed for, though all that the service does by itself was done."""
    for one in board.assignments.values():
        if one.state is not AssignmentState.DISPATCHED:
            continue
        incident = board.incidents.get(one.incident_id)
        priority = 0 if incident is None else incident.priority
        limit_s = rules.timeout_s.get(priority, rules.ack_band_s) + grace_s
        waited_s = (now_ms - one.dispatched_at_ms) / 1000
        if waited_s > limit_s:
            why = f"unit {one.unit_id} has not signed for {one.assignment_id} in {waited_s:.0f} s"
            yield Violation(AlarmKind.ORDER_UNANSWERED, one.assignment_id, why)


def _clocks(board: Board, around: Surroundings, limit_s: float) -> Iterator[Violation]:
    """Clocks that disagree by more than is harmless."""
    jump_s = around.clock_jump_s
    if abs(jump_s) > limit_s:
        way = "ahead" if jump_s > 0 else "back"
        why = f"the service's clock jumped {abs(jump_s):.1f} s {way}"
        yield Violation(AlarmKind.CLOCK_JUMPED, SERVICE, why)
    for unit_id, ahead_s in around.ahead_s.items():
        raised = alarm_id(AlarmKind.DEVICE_CLOCK_AHEAD, unit_id) in board.alarms
        if ahead_s > (limit_s * CALM if raised else limit_s):
            why = f"the clock of {unit_id}'s device runs {ahead_s:.1f} s ahead of the service's"
            yield Violation(AlarmKind.DEVICE_CLOCK_AHEAD, unit_id, why)
