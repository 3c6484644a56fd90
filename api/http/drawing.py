"""Ways drawn on the roads: from an assignment's arcs to geometry and steps."""

from __future__ import annotations

from collections import OrderedDict

from api.http.views.assignments import AssignmentView, RouteView, StepView, assignment_view
from api.http.views.plain import LineString
from dispatch.resources import Assignment
from platforms.categories import UnitKind
from routing.closed_ends import ClosedEnds
from routing.errors import UnknownRoad
from routing.roads import Roads
from routing.routes import Route
from routing.speeds import Profile
from routing.stands import Stand

DRAWN_MAX = 2_000
"""Drawn ways that are kept: more than a city has units."""

COORDINATE_DIGITS = 6
"""About a decimetre: finer than any map of streets."""


class RouteArtist:
    """Draws assignments' ways; a way is drawn once and then shown by inbox and lists alike."""

    def __init__(self, roads: Roads) -> None:
        self._roads = roads
        self._drawn: OrderedDict[tuple[str, str, int, tuple[int, ...]], RouteView] = OrderedDict()

    def show(
        self,
        assignment: Assignment,
        kind: UnitKind,
        *,
        shape: type[AssignmentView] = AssignmentView,
    ) -> AssignmentView:
        """An assignment with its way."""
        return assignment_view(assignment, self.route(assignment, kind), shape=shape)

    def route(self, assignment: Assignment, kind: UnitKind) -> RouteView | None:
        """The way of an assignment; None where its arcs belong to another network."""
        key = (
            assignment.assignment_id,
            assignment.road_version,
            # A closure that was lifted leaves the arcs as they were, and the way open.
            assignment.conditions_version,
            assignment.arcs,
        )
        kept = self._drawn.get(key)
        if kept is not None:
            return kept
        drawn = self._draw(assignment, profile_of(kind))
        if drawn is not None:
            if len(self._drawn) >= DRAWN_MAX:
                self._drawn.popitem(last=False)
            self._drawn[key] = drawn
        return drawn

    def _draw(self, assignment: Assignment, profile: Profile) -> RouteView | None:
        arcs = assignment.arcs
        if not arcs or assignment.road_version != self._roads.road_version:
            return None
        start = Stand(arcs[0], assignment.start_offset_m)
        end = Stand(arcs[-1], assignment.end_offset_m)
        try:
            route = self._roads.route_of(arcs, start, end, profile, digits=COORDINATE_DIGITS)
        except UnknownRoad:
            return None
        ends = self._roads.closed_ends(arcs, start, end, profile)
        return None if route is None else route_view(route, ends)


def profile_of(kind: UnitKind) -> Profile:
    """How a unit of this kind drives to an incident."""
    return Profile.MOTORCYCLE if kind is UnitKind.MOTORCYCLE else Profile.RESPONSE_CAR


def route_view(route: Route, ends: ClosedEnds) -> RouteView:
    """A way, drawn to `COORDINATE_DIGITS`, and what is closed at its ends, as the API shows it."""
    return RouteView(
        geometry=LineString(list(route.geometry)),
        distance_m=round(route.length_m, 1),
        steps=[
            StepView(
                road=step.road,
                distance_m=round(step.length_m, 1),
                travel_s=step.travel_ms / 1000,
                turn=step.turn,
            )
            for step in route.steps
        ],
        closed_first_m=0.0 if ends.first is None else round(ends.first.length_m, 1),
        closed_last_m=0.0 if ends.last is None else round(ends.last.length_m, 1),
    )
