"""Why a question cannot be granted; the tree stands at the top of `dispatch.errors`."""

from __future__ import annotations

from dispatch.errors.root import DispatchError
from dispatch.facts import Candidate
from dispatch.resources import Resource


class Unknown(DispatchError):
    """An id that nothing answers to."""


class IncidentUnknown(Unknown):
    """No incident has this id."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(f"no incident has the id {incident_id!r}: take it from GET /v1/incidents")
        self.incident_id = incident_id


class AssignmentUnknown(Unknown):
    """No assignment has this id."""

    def __init__(self, assignment_id: str) -> None:
        super().__init__(
            f"no assignment has the id {assignment_id!r}: take it from its incident or the inbox"
        )
        self.assignment_id = assignment_id


class UnitUnknown(Unknown):
    """No unit has this id."""

    def __init__(self, unit_id: str) -> None:
        super().__init__(f"no unit has the id {unit_id!r}: take it from GET /v1/units")
        self.unit_id = unit_id


class ClosureUnknown(Unknown):
    """No closure has this id, or it is lifted already."""

    def __init__(self, closure_id: str) -> None:
        super().__init__(f"no road closure has the id {closure_id!r}, or it was lifted before")
        self.closure_id = closure_id


class SpeedFactorUnknown(Unknown):
    """No speed factor has this id, or it is lifted already."""

    def __init__(self, factor_id: str) -> None:
        super().__init__(f"no speed factor has the id {factor_id!r}, or it was lifted before")
        self.factor_id = factor_id


class Conflict(DispatchError):
    """The state of things forbids it now."""


class VersionStale(Conflict):
    """Somebody changed the resource since it was read.

    Attributes:
        current: The resource as it is now.
        given: The version that the client had read.
    """

    def __init__(self, resource_id: str, *, given: int, current: Resource) -> None:
        super().__init__(
            f"{resource_id} is at version {current.version}, you had read version {given}:"
            " look at the current state and decide again"
        )
        self.resource_id = resource_id
        self.given = given
        self.current = current


class UnitTaken(Conflict):
    """The unit is bound to an incident already.

    Attributes:
        unit_id: The unit that was asked for.
        holder: The incident it is bound to.
        assignment_id: By this assignment.
        candidates: The next best units, best first; may be empty.
    """

    def __init__(
        self,
        unit_id: str,
        *,
        holder: str,
        assignment_id: str,
        candidates: tuple[Candidate, ...] = (),
    ) -> None:
        others = ", ".join(candidate.unit_id for candidate in candidates) or "nobody"
        super().__init__(
            f"{unit_id} is bound to {holder} by {assignment_id}; next best free: {others}"
        )
        self.unit_id = unit_id
        self.holder = holder
        self.assignment_id = assignment_id
        self.candidates = candidates


class UnitBusy(Conflict):
    """A unit with an active assignment cannot go off duty.

    Attributes:
        unit_id: The unit.
        assignment_id: What it is bound by.
    """

    def __init__(self, unit_id: str, *, assignment_id: str) -> None:
        super().__init__(
            f"{unit_id} is bound by {assignment_id} and cannot go off duty:"
            " clear or decline it first"
        )
        self.unit_id = unit_id
        self.assignment_id = assignment_id


class UnitOffDuty(Conflict):
    """The unit has no crew on duty.

    Attributes:
        unit_id: The unit that was asked for.
        candidates: The next best units, best first; may be empty.
    """

    def __init__(self, unit_id: str, *, candidates: tuple[Candidate, ...] = ()) -> None:
        super().__init__(f"{unit_id} is off duty: set its status to standby first, or send another")
        self.unit_id = unit_id
        self.candidates = candidates


class NoUnitFree(Conflict):
    """Nobody is left who could go to the incident.

    Attributes:
        incident_id: The incident.
    """

    def __init__(self, incident_id: str) -> None:
        super().__init__(
            f"no unit of the area is free and able to reach {incident_id} now:"
            " free one, borrow one of another area, or send one by its id"
        )
        self.incident_id = incident_id


class NoWay(Conflict):
    """The unit cannot reach the incident by road.

    Attributes:
        unit_id: The unit.
        incident_id: The incident.
    """

    def __init__(self, unit_id: str, *, incident_id: str) -> None:
        super().__init__(
            f"no open road leads from {unit_id} to {incident_id}:"
            " lift a closure or send another unit"
        )
        self.unit_id = unit_id
        self.incident_id = incident_id


class StateConflict(Conflict):
    """The resource is in a state that forbids what was asked.

    Attributes:
        resource_id: The incident or assignment.
        state: The state it is in.
    """

    def __init__(self, resource_id: str, *, state: str, why: str) -> None:
        super().__init__(f"{resource_id} is {state}: {why}")
        self.resource_id = resource_id
        self.state = state


class Refused(DispatchError):
    """The question itself is not sound, whatever the state of things."""


class BadStamp(Refused):
    """A time that breaks the order of an assignment's steps.

    Attributes:
        assignment_id: The assignment.
        stamp: The step.
    """

    def __init__(self, assignment_id: str, *, stamp: str, why: str) -> None:
        super().__init__(f"{stamp} of {assignment_id}: {why}")
        self.assignment_id = assignment_id
        self.stamp = stamp


class ClockSkew(Refused):
    """A device's time lies too far from the service's.

    Attributes:
        skew_s: Device time minus service time; positive is in the future.
        limit_s: The farthest that is accepted on that side.
    """

    def __init__(self, *, skew_s: float, limit_s: float) -> None:
        side = "in the future" if skew_s > 0 else "in the past"
        super().__init__(
            f"the time given lies {abs(skew_s):.0f} s {side}, at most {limit_s:.0f} s are accepted:"
            " set the device's clock"
        )
        self.skew_s = skew_s
        self.limit_s = limit_s


class BadPeriod(Refused):
    """A closure, speed factor or loan that would be over before it begins.

    Attributes:
        over_s: How long before its beginning it would be over.
    """

    def __init__(self, *, over_s: float) -> None:
        super().__init__(
            f"it would be over {over_s:.0f} s before it takes effect: give a later until, or none"
            " to hold until somebody ends it"
        )
        self.over_s = over_s


class BadLoan(Refused):
    """A unit lent to the area that it belongs to.

    Attributes:
        unit_id: The unit.
        area_id: The area that was given.
    """

    def __init__(self, unit_id: str, *, area_id: str) -> None:
        super().__init__(
            f"{unit_id} belongs to {area_id} and is sent there anyway: name the area that needs it"
        )
        self.unit_id = unit_id
        self.area_id = area_id


class BadRequirement(Refused):
    """A kind or a number of units that cannot be asked for.

    Attributes:
        kind: The key that was given.
    """

    def __init__(self, kind: str, *, why: str) -> None:
        super().__init__(f"required {kind!r}: {why}")
        self.kind = kind


class BadUnitStatus(Refused):
    """A status that nobody may set: it follows from assignments or positions.

    Attributes:
        unit_id: The unit.
        status: The status that was given.
    """

    def __init__(self, unit_id: str, *, status: str) -> None:
        super().__init__(
            f"status {status!r} of {unit_id} is never set by hand: give standby, patrolling,"
            " posted, returning or off_duty"
        )
        self.unit_id = unit_id
        self.status = status


class QueueFull(DispatchError):
    """More than the service is set up to hold: incidents, closures, decisions under way.

    Attributes:
        limit: The bound that is reached.
        retry_after_s: When to try again.
    """

    def __init__(
        self, *, what: str, limit: int, mend: str = "close or merge some", retry_after_s: int = 5
    ) -> None:
        super().__init__(f"{limit} {what} are held already, which is the bound set: {mend} first")
        self.limit = limit
        self.retry_after_s = retry_after_s
