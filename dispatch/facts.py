"""Small frozen values that events, board and decisions share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatch.changed import quickly_made
from dispatch.words import AssignmentId, Clock, IncidentId, Stamp, UnitId, UnixMs


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where an incident is, already checked, converted and snapped at the gate.

    Attributes:
        lon: Longitude, WGS-84.
        lat: Latitude, WGS-84.
        crs: Coordinate system in which the point was given.
        given_lon: Longitude as given, before conversion.
        given_lat: Latitude as given, before conversion.
        snapped_lon: Longitude of the nearest point on a usable road.
        snapped_lat: Latitude of the nearest point on a usable road.
        road: Name of that road, "" where it has none.
        offset_m: Metres from the point to the road.
        address: Words for people: place or street.
        zone_class: `key_site`, `core`, `other` or `outside`.
        target_s: Promised seconds; None outside the city.
        platform_id: Platform of the main grid, None outside all grids.
        area_id: Area whose units answer, None outside all areas.
    """

    lon: float
    lat: float
    crs: str = "wgs84"
    given_lon: float
    given_lat: float
    snapped_lon: float
    snapped_lat: float
    road: str = ""
    offset_m: float = 0.0
    address: str = ""
    zone_class: str
    target_s: int | None
    platform_id: str | None = None
    area_id: str | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A unit that was weighed, with the exact road figures of that moment.

    Attributes:
        unit_id: The unit.
        call_sign: Its call sign.
        kind: Its kind.
        platform_id: Its platform.
        status: Its status at that moment.
        travel_s: Exact seconds on the road graph.
        turnout_s: Seconds until it rolls.
        eta_s: turnout_s + travel_s.
        distance_m: Metres by road.
        straight_line_m: Metres as the crow flies.
        position_age_s: Age of the fix; None where the unit never sent one.
        target_s: The promise at the incident's place.
        margin_s: Time left when it arrives; negative is late; None without a target.
        on_target: Whether it would keep the promise; None without a target.
        p_on_target: Chance to keep it; None while the policy does not compute it.
        cover_loss: What cover its going costs; None while the policy does not compute it.
        reason: Why it is or is not taken, for people.
        arcs: The arcs of its way, first to last, in `road_version`'s numbering.
        start_offset_m: Where on the first arc it stands.
        end_offset_m: Where on the last arc the incident is.
    """

    unit_id: UnitId
    call_sign: str
    kind: str
    platform_id: str
    status: str
    travel_s: float
    turnout_s: float
    eta_s: float
    distance_m: float
    straight_line_m: float
    position_age_s: float | None = None
    target_s: int | None = None
    margin_s: float | None = None
    on_target: bool | None = None
    p_on_target: float | None = None
    cover_loss: Mapping[str, float] | None = None
    reason: str = ""
    arcs: tuple[int, ...] = ()
    start_offset_m: float = 0.0
    end_offset_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """A kind of unit that was asked for and is not to be had now."""

    kind: str
    wanted: int
    found: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadState:
    """The roads on which a decision was made.

    Attributes:
        road_version: Hash of the network.
        conditions_version: Count of changes by closures and speeds.
    """

    road_version: str
    conditions_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyHours:
    """From one time of the city's local day until another, every day.

    Attributes:
        from_minute: First minute of the day, 0 to 1439: 7 o'clock is 420.
        until_minute: First minute that is no longer meant, 0 to 1439; one before `from_minute` is
            that of the next day.
    """

    from_minute: int
    until_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of road as it lay on the map, by which another network is searched for it.

    Attributes:
        points: How it ran (lon, lat), WGS-84.
        both_ways: True where both directions are meant, else only that of the points.
        way_id: Its OSM way.
    """

    points: tuple[tuple[float, float], ...]
    both_ways: bool
    way_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """A scene report (反馈单)."""

    category_final: str | None = None
    valid: bool | None = None
    text: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateStep:
    """A crew's step that came after its incident had ended; the log has it too.

    Attributes:
        assignment_id: Whose.
        stamp: Which step.
        device_at_ms: The device's time as it was given, None where none was.
        feedback: The report, None for other steps.
    """

    assignment_id: AssignmentId
    stamp: Stamp
    device_at_ms: UnixMs | None = None
    feedback: Feedback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A remark on an incident."""

    at_ms: UnixMs
    author: str
    text: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What was weighed and what is proposed or chosen: the receipt of a decision.

    Attributes:
        incident_id: The incident; None where it is only asked what would happen.
        decided_at_ms: When it was weighed.
        target_s: The promise at the place; None outside the city.
        clock: When the promise's clock starts.
        candidates: Units weighed, best first, at most the asked number for each kind.
        chosen: Units that go; empty where a dispatcher decides or nobody can go.
        why: One sentence for people.
        shortfall: Units wanted and not to be had, by kind.
        road_version: Hash of the network.
        conditions_version: Count of changes by closures and speeds.
    """

    incident_id: IncidentId | None
    decided_at_ms: UnixMs
    target_s: int | None
    clock: Clock
    candidates: tuple[Candidate, ...]
    chosen: tuple[UnitId, ...]
    why: str
    shortfall: tuple[Shortfall, ...]
    road_version: str
    conditions_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """Why a unit serves another area than its own.

    Attributes:
        home_area_id: Its own area.
        since_ms: When it was lent.
        until_ms: When it is given back by itself, once it is free; None is when somebody says so.
        reason: What was said.
    """

    home_area_id: str
    since_ms: UnixMs
    until_ms: UnixMs | None = None
    reason: str = ""
