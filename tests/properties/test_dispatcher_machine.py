"""Whatever is asked in whatever order: nothing is lost, doubled or skipped.

The machine drives the whole dispatcher through its questions, in a small town with real shortest
paths, and holds it against what must always be true, told a second time and in other words.
Each run has 50 steps; 500 runs by default, 2,000 with `KUAIJING_LONG=1`.
"""

from __future__ import annotations

import os
from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dispatch.alarms import DEFECTS, AlarmRules, Surroundings
from dispatch.board import queue
from dispatch.decide import Decision, next_due_ms
from dispatch.decide.violations import contradictions
from dispatch.errors import DispatchError
from dispatch.events import (
    AssignmentAcked,
    AssignmentArrived,
    AssignmentCancelled,
    AssignmentCleared,
    AssignmentDeclined,
    AssignmentDeparted,
    AssignmentReleased,
    AssignmentTimedOut,
    FeedbackGiven,
    IncidentReceived,
    UnitDispatched,
)
from dispatch.evolve import evolve
from dispatch.facts import Feedback
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
    SetSpeedFactor,
    SetUnitStatus,
    StampAssignment,
)
from dispatch.resources import Incident
from dispatch.rules import Rules, kinds_of
from dispatch.words import (
    AssignmentId,
    AssignmentState,
    Clock,
    DispatchMode,
    IncidentId,
    IncidentStatus,
    Stamp,
    UnitId,
    UnitStatus,
    UnixMs,
)
from platforms.categories import UnitKind
from tests.toy_town import T0, Town, ToyRoads, call, place

THOROUGH = os.environ.get("KUAIJING_LONG") == "1"
SIZE = 5

CAR, MOTORCYCLE = UnitKind.RESPONSE_CAR, UnitKind.MOTORCYCLE
FLEET = (
    ("C1", (0, 0), CAR, "city"),
    ("C2", (4, 4), CAR, "city"),
    ("M1", (2, 2), MOTORCYCLE, "city"),
    ("V1", (1, 1), UnitKind.COMMAND_VEHICLE, "city"),
    ("X1", (3, 0), CAR, "county"),
)

# Each step of an assignment, and the only state from which it may be taken.
COMES_AFTER = {
    AssignmentAcked: ("dispatched", "acked"),
    AssignmentDeparted: ("acked", "en_route"),
    AssignmentArrived: ("en_route", "on_scene"),
    AssignmentCleared: ("on_scene", "cleared"),
}
ENDS = {
    AssignmentDeclined: "declined",
    AssignmentTimedOut: "timed_out",
    AssignmentCancelled: "cancelled",
    AssignmentReleased: "released",
}
ACTIVE = ("dispatched", "acked", "en_route", "on_scene")

crossings = st.integers(0, SIZE - 1)
requirements = st.sampled_from(
    [None, None, {"any": 1}, {"any": 2}, {"response_car": 1, "any": 1}, {"motorcycle": 1}, {}]
)


class Dispatcher(RuleBasedStateMachine):
    """Asks everything that can be asked."""

    @initialize(clock=st.sampled_from(Clock), last_resort=st.booleans())
    def open_town(self, clock: Clock, last_resort: bool) -> None:
        rules = Rules(
            clock=clock,
            command_vehicle_last_resort=last_resort,
            open_incidents_max=12,
            waiting_max=6,
            notes_max=3,
        )
        # Five minutes before midnight in Shaoyang, so that the day changes both ways.
        self.town = Town(
            rules=rules, roads=ToyRoads(size=SIZE), now_ms=UnixMs(T0 + 16 * 3_600_000 - 300_000)
        )
        for unit_id, at, kind, area_id in FLEET:
            self.town.with_unit(unit_id, at, kind=kind, area_id=area_id)
        self.states: dict[AssignmentId, str] = {}
        self.reported: list[IncidentId] = []
        self.reports_in: set[AssignmentId] = set()

    # --- asking -------------------------------------------------------------------------------

    def ask(self, question: Question, *, after_s: float = 0.0) -> Decision | None:
        before = self.town.board
        try:
            decision = self.town.ask(question, after_s=after_s)
        except DispatchError:
            assert self.town.board is before
            return None
        board = before
        for recorded in decision.recorded:
            board = evolve(board, recorded)
            self.follow(recorded.event)
        assert board == decision.board, "the decision's board is not what its events give"
        for name in ("incidents", "assignments", "units"):
            for key, new in getattr(board, name).items():
                old = getattr(before, name).get(key)
                assert old is None or old == new or new.version > old.version, (key, old, new)
        return decision

    def follow(self, event: object) -> None:
        """Keeps the machine's own account of each assignment, from the events alone."""
        kind = type(event)
        if isinstance(event, IncidentReceived):
            assert event.incident_id not in self.reported
            self.reported.append(event.incident_id)
        elif isinstance(event, UnitDispatched):
            assert event.assignment_id not in self.states
            self.states[event.assignment_id] = "dispatched"
        elif kind in COMES_AFTER:
            needed, reached = COMES_AFTER[kind]
            assert self.states[event.assignment_id] == needed, f"{event} skips a state"
            self.states[event.assignment_id] = reached
        elif kind in ENDS:
            assert self.states[event.assignment_id] in ACTIVE, f"{event} ends what has ended"
            self.states[event.assignment_id] = ENDS[kind]
        elif isinstance(event, FeedbackGiven):
            self.reports_in.add(event.assignment_id)

    def an_incident(self, data: st.DataObject, *, closed: bool = False) -> IncidentId | None:
        ids = sorted(self.town.history if closed else self.town.board.incidents)
        return data.draw(st.sampled_from(ids)) if ids else None

    def an_assignment(self, data: st.DataObject) -> AssignmentId | None:
        # Mostly those that are open: the interesting ones.
        ids = sorted(self.town.board.assignments) or sorted(self.states)
        if data.draw(st.integers(0, 9)) == 0:
            ids = sorted(self.states)
        return data.draw(st.sampled_from(ids)) if ids else None

    def a_version(self, data: st.DataObject, incident_id: IncidentId) -> int | None:
        stale = data.draw(st.sampled_from([None, None, 0, -1]))
        return None if stale is None else self.town.board.incidents[incident_id].version + stale

    # --- rules --------------------------------------------------------------------------------

    _a_call = rule(
        x=crossings,
        y=crossings,
        priority=st.sampled_from([1, 1, 2, 3, 4]),
        target_s=st.sampled_from([None, 20, 60, 180]),
        required=requirements,
        mode=st.sampled_from([DispatchMode.AUTO, DispatchMode.AUTO, DispatchMode.MANUAL]),
        area_id=st.sampled_from(["city", "city", "county", None]),
    )

    def report(self, **call_fields: object) -> None:
        x, y = call_fields.pop("x"), call_fields.pop("y")
        self.ask(call(x, y, **call_fields))  # type: ignore[arg-type]

    report_1, report_2 = _a_call(report), _a_call(report)

    @rule(
        data=st.data(),
        stamp=st.sampled_from(Stamp),
        ago_s=st.sampled_from([None, 0, 5, 100, -30, -120, 90_000]),
        after_s=st.sampled_from([0, 3, 25]),
    )
    def step(self, data: st.DataObject, stamp: Stamp, ago_s: int | None, after_s: float) -> None:
        assignment_id = self.an_assignment(data)
        if assignment_id is None:
            return
        now_ms = self.town.now_ms
        report = Feedback(valid=data.draw(st.booleans())) if stamp is Stamp.FEEDBACK else None
        self.ask(
            StampAssignment(
                assignment_id=assignment_id,
                stamp=stamp,
                at_ms=None if ago_s is None else UnixMs(now_ms - ago_s * 1000),
                feedback=report,
            ),
            after_s=after_s,
        )

    def crew_goes_on(self, data: st.DataObject, after_s: float) -> None:
        """A crew takes its next step, as most do."""
        active = sorted(key for key, state in self.states.items() if state in ACTIVE)
        if not active:
            return
        assignment_id = data.draw(st.sampled_from(active))
        stamp = list(Stamp)[ACTIVE.index(self.states[assignment_id])]
        if stamp is Stamp.FEEDBACK and assignment_id in self.reports_in:
            stamp = Stamp.CLEARED
        self.ask(StampAssignment(assignment_id=assignment_id, stamp=stamp), after_s=after_s)

    # Rules are drawn evenly: what happens most on the street stands here more than once.
    _going_on = rule(data=st.data(), after_s=st.sampled_from([1, 15, 70]))
    crew_1, crew_2, crew_3 = (
        _going_on(crew_goes_on),
        _going_on(crew_goes_on),
        _going_on(crew_goes_on),
    )

    @rule(data=st.data())
    def decline(self, data: st.DataObject) -> None:
        assignment_id = self.an_assignment(data)
        if assignment_id is not None:
            self.ask(DeclineAssignment(assignment_id=assignment_id, reason="no fuel"))

    @rule(data=st.data(), stamp=st.sampled_from(Stamp), ago_s=st.integers(-5, 60))
    def correct(self, data: st.DataObject, stamp: Stamp, ago_s: int) -> None:
        assignment_id = self.an_assignment(data)
        if assignment_id is not None:
            at_ms = UnixMs(self.town.now_ms - ago_s * 1000)
            self.ask(
                CorrectStamp(assignment_id=assignment_id, stamp=stamp, at_ms=at_ms, reason="typo")
            )

    @rule(data=st.data(), unit_id=st.sampled_from([None, *(unit[0] for unit in FLEET)]))
    def assign(self, data: st.DataObject, unit_id: str | None) -> None:
        incident_id = self.an_incident(data)
        if incident_id is not None:
            self.ask(
                AssignUnit(
                    incident_id=incident_id,
                    unit_id=None if unit_id is None else UnitId(unit_id),
                    if_version=self.a_version(data, incident_id),
                )
            )

    @rule(data=st.data(), way=st.sampled_from(["close", "release", "release", "cancel", "merge"]))
    def end_incident(self, data: st.DataObject, way: str) -> None:
        incident_id = self.an_incident(data)
        if incident_id is None:
            return
        if way == "cancel":
            self.ask(CancelIncident(incident_id=incident_id))
        elif way == "merge":
            into = self.an_incident(data)
            assert into is not None
            self.ask(MergeIncident(incident_id=incident_id, into=into))
        else:
            self.ask(CloseIncident(incident_id=incident_id, release_units=way == "release"))

    @precondition(lambda self: self.town.history)
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        incident_id = self.an_incident(data, closed=True)
        assert incident_id is not None
        self.ask(ReopenIncident(incident_id=incident_id))

    @rule(
        data=st.data(),
        to=st.one_of(st.none(), st.tuples(crossings, crossings)),
        priority=st.sampled_from([None, 1, 4]),
        required=requirements,
    )
    def amend(
        self,
        data: st.DataObject,
        to: tuple[int, int] | None,
        priority: int | None,
        required: dict[str, int] | None,
    ) -> None:
        incident_id = self.an_incident(data)
        if incident_id is not None:
            self.ask(
                AmendIncident(
                    incident_id=incident_id,
                    location=None if to is None else place(*to, target_s=60),
                    priority=priority,
                    required=required,
                    if_version=self.a_version(data, incident_id),
                )
            )

    @rule(data=st.data(), nudge=st.booleans())
    def talk(self, data: st.DataObject, nudge: bool) -> None:
        incident_id = self.an_incident(data)
        if incident_id is not None and nudge:
            self.ask(NudgeIncident(incident_id=incident_id))
        elif incident_id is not None:
            self.ask(AddNote(incident_id=incident_id, text="he has a knife"))

    @rule(
        unit_id=st.sampled_from([unit[0] for unit in FLEET]),
        status=st.sampled_from([*UnitStatus, *list(UnitStatus)[:3]]),
        ago_s=st.sampled_from([None, 0, 200]),
    )
    def unit_status(self, unit_id: str, status: UnitStatus, ago_s: int | None) -> None:
        at_ms = None if ago_s is None else UnixMs(self.town.now_ms - ago_s * 1000)
        self.ask(SetUnitStatus(unit_id=UnitId(unit_id), status=status, at_ms=at_ms))

    @rule(
        unit_id=st.sampled_from([unit[0] for unit in FLEET]),
        area_id=st.sampled_from([None, "city", "county"]),
        for_s=st.sampled_from([None, -1, 30, 3000]),
    )
    def lend(self, unit_id: str, area_id: str | None, for_s: int | None) -> None:
        if area_id is None:
            self.ask(EndLoan(unit_id=UnitId(unit_id)))
            return
        until_ms = None if for_s is None else UnixMs(self.town.now_ms + for_s * 1000)
        self.ask(LendUnit(unit_id=UnitId(unit_id), area_id=area_id, until_ms=until_ms))

    _a_while = rule(after_s=st.sampled_from([0.2, 11, 21, 61, 400, 2000, -3600]))

    def time_passes(self, after_s: float) -> None:
        decision = self.ask(PassTime(), after_s=after_s)
        assert decision is not None
        self.set_roads()
        self.ask(RecheckRoutes())
        due_ms = next_due_ms(self.town.board, self.town.rules)
        assert due_ms is None or due_ms > self.town.now_ms, "something due was left undone"
        self.ask(LookForAlarms(around=Surroundings(), limits=AlarmRules()))

    while_1, while_2 = _a_while(time_passes), _a_while(time_passes)

    @rule(x=st.integers(0, SIZE - 2), y=crossings, upright=st.booleans())
    def road_closes(self, x: int, y: int, upright: bool) -> None:
        ends = ((y, x), (y, x + 1)) if upright else ((x, y), (x + 1, y))
        roads = self.town.roads
        arcs = (roads.arc(*ends), roads.arc(ends[1], ends[0]))
        if self.ask(CloseRoad(arcs=arcs, until_ms=UnixMs(self.town.now_ms + 300_000))):
            self.set_roads()
            self.ask(RecheckRoutes(arcs=frozenset(arcs)))

    @rule(data=st.data(), change=st.sampled_from(["open", "slow", "as usual"]))
    def roads_change(self, data: st.DataObject, change: str) -> None:
        closures = sorted(self.town.board.closures)
        if change == "open" and closures:
            self.ask(ReopenRoad(closure_id=data.draw(st.sampled_from(closures))))
        elif change == "slow":
            self.ask(SetSpeedFactor(factor=0.5))
        for factor_id in tuple(self.town.board.speed_factors) if change == "as usual" else ():
            self.ask(LiftSpeedFactor(factor_id=factor_id))
        self.set_roads()
        self.ask(RecheckRoutes())

    @rule(unit_id=st.sampled_from([unit[0] for unit in FLEET]), x=crossings, y=crossings)
    def unit_moves(self, unit_id: str, x: int, y: int) -> None:
        self.town.roads.stands[UnitId(unit_id)] = (x, y)
        self.ask(RecheckRoutes())

    @rule(x=crossings, y=crossings, required=requirements)
    def recommend(self, x: int, y: int, required: dict[str, int] | None) -> None:
        decision = self.ask(Recommend(location=place(x, y), required=required, k=2))
        assert decision is not None
        assert decision.events == ()

    def set_roads(self) -> None:
        shut = {arc for one in self.town.board.closures.values() for arc in one.arcs}
        if shut != self.town.roads.closed:
            self.town.roads.closed = shut
            self.town.roads.conditions_version += 1

    # --- what must always be true ---------------------------------------------------------------

    @invariant()
    def no_unit_is_sent_twice(self) -> None:
        bound = Counter(
            one.unit_id for one in self.town.board.assignments.values() if one.state.is_active
        )
        assert all(count == 1 for count in bound.values()), bound
        for unit in self.town.board.units.values():
            if unit.assignment_id is None:
                assert unit.unit_id not in bound
            else:
                assignment = self.town.board.assignments[unit.assignment_id]
                assert assignment.unit_id == unit.unit_id
                assert assignment.state.is_active
                assert unit.on_duty

    @invariant()
    def a_unit_serves_its_own_area_or_one_it_is_lent_to(self) -> None:
        for unit_id, _, _, home in FLEET:
            unit = self.town.unit(unit_id)
            if unit.loan is None:
                assert unit.area_id == home
            else:
                assert unit.loan.home_area_id == home != unit.area_id

    @invariant()
    def the_board_does_not_contradict_itself(self) -> None:
        """What the running service looks for each second cannot come about."""
        assert list(contradictions(self.town.board)) == []
        assert not DEFECTS & {alarm.kind for alarm in self.town.board.alarms.values()}

    @invariant()
    def no_incident_is_lost(self) -> None:
        open_ids, closed_ids = set(self.town.board.incidents), set(self.town.history)
        assert not open_ids & closed_ids
        assert open_ids | closed_ids == set(self.reported)

    @invariant()
    def nothing_is_left_behind(self) -> None:
        """The board holds the assignments of open incidents and no others."""
        held = [key for one in self.town.board.incidents.values() for key in one.assignment_ids]
        assert sorted(held) == sorted(self.town.board.assignments)

    @invariant()
    def one_of_a_chain_of_substitutes_goes(self) -> None:
        assignments = self.town.board.assignments
        for one in assignments.values():
            first = None if one.replaces is None else assignments[one.replaces]
            if first is not None and one.state.is_active and first.state.is_active:
                both = {one.state, first.state}
                assert both == {AssignmentState.DISPATCHED}, "one was signed for, the other stays"

    @invariant()
    def states_are_those_of_the_events(self) -> None:
        for key, assignment in self.town.board.assignments.items():
            assert assignment.state == self.states[key]
            assert (assignment.state in ACTIVE) == (assignment.ended_at_ms is None)

    @invariant()
    def times_follow_the_steps(self) -> None:
        order = list(Stamp)
        for assignment in self.town.board.assignments.values():
            times = [assignment.stamp_ms(stamp) for stamp in order]
            happened = [at_ms for at_ms in times if at_ms is not None]
            assert all(at_ms >= assignment.dispatched_at_ms for at_ms in happened)
            # A report may come after the crew cleared; all else runs in order.
            steps = [
                at_ms
                for stamp, at_ms in zip(order, times, strict=True)
                if at_ms is not None and stamp is not Stamp.FEEDBACK
            ]
            assert steps == sorted(steps)

    @invariant()
    def status_follows_from_assignments(self) -> None:
        for incident in self.town.board.incidents.values():
            assert incident.status == self.expected_status(incident)

    def expected_status(self, incident: Incident) -> IncidentStatus:
        current = incident.assignment_ids[incident.earlier_assignments :]
        if any(key in self.reports_in for key in current):
            return IncidentStatus.FED_BACK
        states = {"on_scene" if self.states[k] == "cleared" else self.states[k] for k in current}
        for state in reversed(ACTIVE):
            if state in states:
                return IncidentStatus(state)
        return IncidentStatus.PENDING

    @invariant()
    def needs_are_counted_right(self) -> None:
        for incident in self.town.board.incidents.values():
            for key, count in incident.required.items():
                served = 0
                for assignment_id in incident.assignment_ids[incident.earlier_assignments :]:
                    one = self.town.board.assignments[assignment_id]
                    answers = one.state is not AssignmentState.DISPATCHED or (
                        not one.substitute_sought
                    )
                    done = self.states[assignment_id] in (*ACTIVE, "cleared")
                    served += one.fills == key and answers and done
                assert incident.unmet.get(key, 0) == max(0, count - served)

    @invariant()
    def nobody_waits_while_somebody_could_go(self) -> None:
        board, rules = self.town.board, self.town.rules
        for incident in queue(board, self.town.now_ms):
            if incident.mode is DispatchMode.MANUAL:
                continue
            kinds = {kind for key in incident.unmet for kind in kinds_of(key)}
            if "any" in incident.unmet and rules.command_vehicle_last_resort:
                kinds.add(UnitKind.COMMAND_VEHICLE)
            for unit in board.units.values():
                area_id = incident.location.area_id
                fits = unit.kind in kinds and area_id in (None, unit.area_id)
                if unit.is_free and fits and unit.unit_id not in incident.not_again:
                    way = self.town.roads.travel(unit.unit_id, incident.location)
                    assert way is None, f"{unit.unit_id} is free while {incident} waits"

    def teardown(self) -> None:
        assert self.town.replayed() == self.town.board
        numbers = [
            one.event.incident_no
            for one in self.town.log
            if isinstance(one.event, IncidentReceived)
        ]
        assert len(numbers) == len(set(numbers))


TestDispatcher = Dispatcher.TestCase
TestDispatcher.settings = settings(
    max_examples=2_000 if THOROUGH else 500,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
