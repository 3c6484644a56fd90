"""The facade: one network, its present conditions, and exact answers in milliseconds.

`Roads` may be asked from many threads. Each question sees the conditions of one moment: weights
are published as a whole and never written to afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon

from routing.closed_ends import OPEN_ENDS, ClosedEnds, closed_ends
from routing.conditions import Closure, Conditions, Direction, EffectiveConditions
from routing.errors import Unreachable
from routing.graph import RoadGraph
from routing.isochrones import isochrone_polygons
from routing.moment import Moment
from routing.network_file import Manifest, load_network
from routing.routes import Milliseconds, Route, WayArtist
from routing.search.arrays import CLOSED_MS
from routing.search.asking import LIMIT_MS, Reach, UnitSearch
from routing.search.fleet import Fleet
from routing.search.kernels import choose_kernel, warm_up
from routing.snapping import SNAP_MAX_M, StreetIndex
from routing.speeds import Profile, SpeedTable, shipped_speed_table
from routing.stands import Snap, Stand, places_of
from routing.weights import WeightMaker

__all__ = ["Reach", "Roads", "Route", "Snap", "Stand"]


class Roads:
    """A road network that answers how soon, which way and how far."""

    def __init__(
        self,
        graph: RoadGraph,
        manifest: Manifest | None = None,
        *,
        python_twin: bool = False,
        speeds: SpeedTable | None = None,
        at_ms: int = 0,
        hour: int = 12,
    ) -> None:
        """Make the roads ready, without any closure.

        Args:
            graph: The compiled network.
            manifest: Where it comes from.
            python_twin: Search without numba.
            speeds: Other speeds than those that ship.
            at_ms: The present moment, Unix milliseconds.
            hour: The local hour of that moment.
        """
        self.graph = graph
        self.manifest = manifest
        self._maker = WeightMaker(graph, speeds or shipped_speed_table())
        self._kernel = choose_kernel(python_twin=python_twin)
        self._search = UnitSearch(self._kernel, self._maker.network)
        self._artist = WayArtist(self._kernel, graph)
        self._streets = StreetIndex(graph, self._kernel)
        self._publishing = Lock()
        self._moment = Moment.of(self._maker, Conditions(), at_ms, hour, version=0)

    @classmethod
    def open(cls, path: Path, *, python_twin: bool = False) -> Roads:
        """Open a compiled network.

        Raises:
            NetworkFileError: The file is no compiled network, or a damaged one.
        """
        graph, manifest = load_network(path)
        return cls(graph, manifest, python_twin=python_twin)

    @property
    def road_version(self) -> str:
        """Hash of the network's content."""
        return self.graph.road_version

    @property
    def conditions_version(self) -> int:
        """Grows by one at each change of what holds on the roads."""
        return self._moment.version

    @property
    def conditions(self) -> Conditions:
        """All closures and speed factors that were ordered."""
        return self._moment.conditions

    @property
    def effective_conditions(self) -> EffectiveConditions:
        """Those that hold now."""
        return self._moment.effective

    @property
    def next_change_ms(self) -> int:
        """When `advance` should be called next, Unix milliseconds."""
        return self._moment.next_change_ms

    @property
    def compiled(self) -> bool:
        """False when the searches run in plain Python."""
        return self._kernel.COMPILED

    def set_conditions(
        self, conditions: Conditions, at_ms: int, hour: int, minute: int = 0
    ) -> None:
        """Put other closures and speed factors into force; the next question sees them.

        Args:
            conditions: All of them, those that go on included.
            at_ms: The present moment, Unix milliseconds.
            hour: The local hour of that moment, 0 to 23.
            minute: The local minute of that hour, 0 to 59.

        Raises:
            UnknownRoad: One names an arc or way that the network does not have; nothing changed.
        """
        with self._publishing:
            self._maker.check(conditions)
            version = self._moment.version + 1
            self._moment = Moment.of(self._maker, conditions, at_ms, hour, minute, version=version)

    def advance(self, at_ms: int, hour: int, minute: int = 0) -> bool:
        """Let time pass to a moment: timed conditions begin and end, the hour's speeds change.

        Returns:
            True when something changed on the roads.
        """
        with self._publishing:
            before = self._moment
            effective = before.conditions.at(at_ms, hour, minute)
            if effective == before.effective and self._maker.table.same_hour(before.hour, hour):
                next_ms = before.conditions.next_change_ms(at_ms, hour, minute)
                if (next_ms, hour) != (before.next_change_ms, before.hour):
                    self._moment = replace(before, next_change_ms=next_ms, hour=hour)
                return False
            version = before.version + 1
            self._moment = Moment.of(
                self._maker, before.conditions, at_ms, hour, minute, version=version
            )
            return True

    def snap(
        self, lon: float, lat: float, *, heading_deg: float | None = None, max_m: float = SNAP_MAX_M
    ) -> Snap:
        """Bring a point onto the nearest street.

        Args:
            lon: WGS-84 degrees.
            lat: WGS-84 degrees.
            heading_deg: Compass heading of a moving vehicle: it stands on one direction only, goes
                on along it, and turns round at the next node at the cost of a U-turn.
            max_m: The farthest street that is accepted.

        Raises:
            OffNetwork: No street within `max_m`; the message names the nearest distance.
        """
        return self._streets.snap(lon, lat, heading_deg=heading_deg, max_m=max_m)

    def new_fleet(self, size: int) -> Fleet:
        """An empty table for so many units."""
        return Fleet(size, self._maker.network.length_m)

    def nearest(
        self,
        target: Snap,
        fleet: Fleet,
        *,
        eligible: NDArray[np.bool_] | None = None,
        k: int,
        max_s: float | None = None,
    ) -> list[Reach]:
        """The k units that can be there first, exactly, over all profiles.

        Args:
            target: The place.
            fleet: The units.
            eligible: Who may be asked, bool (fleet.size); None = every unit.
            k: How many at most; `fleet.size` ranks all that can come.
            max_s: Leave out who needs longer, extra seconds included.

        Returns:
            By (total_ms, slot).
        """
        moment = self._moment
        units, stands = fleet.snapshot()
        return self._search.nearest(
            moment.weights,
            target.stands,
            units,
            stands,
            eligible=np.ones(fleet.size, dtype=np.bool_) if eligible is None else eligible,
            k=k,
            limit_ms=LIMIT_MS if max_s is None else min(LIMIT_MS, int(max_s * 1000)),
        )

    def travel(self, origin: Snap, target: Snap, profile: Profile) -> Reach:
        """The fastest way from one place to another.

        Raises:
            Unreachable: No open way leads there.
        """
        lone = self.new_fleet(1)
        lone.place(0, profile, origin.stands)
        reaches = self.nearest(target, lone, k=1)
        if not reaches:
            raise Unreachable(
                f"no open way leads a {profile} from ({origin.lon}, {origin.lat}) to"
                f" ({target.lon}, {target.lat}); look at the closures in force"
            )
        return reaches[0]

    def route(self, reach: Reach, *, digits: int | None = None) -> Route | None:
        """Draw and describe the way of a reach; None when a closure came between."""
        return self.route_of(reach.arcs, reach.start, reach.end, reach.profile, digits=digits)

    def route_of(
        self,
        arcs: Sequence[int],
        start: Stand,
        end: Stand,
        profile: Profile,
        *,
        digits: int | None = None,
    ) -> Route | None:
        """Draw, time and describe a given way under the present conditions.

        Args:
            arcs: The way.
            start: Where it begins, on its first arc.
            end: Where it ends, on its last arc.
            profile: Who drives it.
            digits: Decimals of a degree that the drawing is rounded to; None = not at all.

        Returns:
            None when an arc between its ends, or a turn, is closed now. The closed arcs that it
            begins or ends with may be driven; `closed_ends` tells them.

        Raises:
            UnknownRoad: The arcs do not follow each other, or the stands are not at their ends.
        """
        return self._artist.draw(self._moment.milliseconds(profile), arcs, start, end, digits)

    def travel_ms_of(
        self, arcs: Sequence[int], start: Stand, end: Stand, profile: Profile
    ) -> int | None:
        """Time a given way under the present conditions; None when it is closed, as `route_of`.

        Raises:
            UnknownRoad: The arcs do not follow each other, or the stands are not at their ends.
        """
        return self._artist.travel_ms_of(self._moment.milliseconds(profile), arcs, start, end)

    def closed_ends(
        self, arcs: Sequence[int], start: Stand, end: Stand, profile: Profile
    ) -> ClosedEnds:
        """Which stretches of a way are closed now that may be driven all the same.

        Whoever stands on a closed road may leave it, and whoever is called onto one may come.

        Args:
            arcs: A way of this network that `nearest` or `travel` gave.
            start: Where it begins, on its first arc.
            end: Where it ends, on its last arc.
            profile: Who drives it.
        """
        moment = self._moment
        if not moment.effective.closures:
            return OPEN_ENDS
        arc_ms = moment.milliseconds(profile).arc_ms
        if arc_ms[arcs[0]] < CLOSED_MS and arc_ms[arcs[-1]] < CLOSED_MS:
            return OPEN_ENDS
        return closed_ends(self.graph, arc_ms, moment.closures, (arcs, start, end), profile)

    def entry_ms(self, origin: Snap, profile: Profile, max_s: float) -> NDArray[np.int32]:
        """How soon each arc can be entered from a place over open arcs; see `kernel.spread`.

        Returns:
            Milliseconds to the start of each arc, int32 (A), `CLOSED_MS` where not in `max_s`.
        """
        return self._entry_ms(origin, self._moment.milliseconds(profile), max_s)

    def isochrones(
        self, origin: Snap, seconds: Sequence[float], profile: Profile
    ) -> list[Polygon | MultiPolygon]:
        """The areas within so many seconds of a place over open arcs, WGS-84, one per limit."""
        present = self._moment.milliseconds(profile)
        entry_ms = self._entry_ms(origin, present, max(seconds))
        return isochrone_polygons(self.graph, present.arc_ms, entry_ms, origin, seconds)

    def arcs_of_way(self, way_id: int, direction: Direction = Direction.BOTH) -> tuple[int, ...]:
        """The arcs of an OSM way.

        Raises:
            UnknownRoad: The network has no such way.
        """
        return tuple(self._maker.ways.arcs_of_way(way_id, direction).tolist())

    def closed_arcs(self, closure: Closure) -> tuple[int, ...]:
        """The directed arcs that a closure closes.

        Raises:
            UnknownRoad: It names an arc or way that the network does not have.
        """
        return tuple(self._maker.closed_arcs(closure).tolist())

    def warm_up(self) -> None:
        """Compile the searches, or load them from the cache, before the first question."""
        warm_up(self._kernel)

    def _entry_ms(self, origin: Snap, present: Milliseconds, max_s: float) -> NDArray[np.int32]:
        network = self._maker.network
        origins = places_of(origin.stands, network.length_m)
        limit_ms = min(LIMIT_MS, int(max_s * 1000))
        return self._kernel.spread(network, present.arc_ms, present.turn_ms, origins, limit_ms)
