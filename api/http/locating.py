"""From what a client says to a checked location: converted, snapped, with its zone and platform."""

from __future__ import annotations

from dataclasses import dataclass

from api.errors import InvalidRequest
from api.http.schemas.gate import Point
from dispatch.facts import Location
from platforms.gazetteer import Gazetteer
from platforms.promise import Promise
from routing.coordinates import to_wgs84
from routing.roads import Roads
from routing.stands import Snap


@dataclass(frozen=True, slots=True)
class Locator:
    """The gate through which every point enters.

    Attributes:
        roads: Network to snap to.
        promise: Zones, areas and grids of the city.
        gazetteer: Places by name.
        snap_max_m: Farthest that a place may lie from a road.
    """

    roads: Roads
    promise: Promise
    gazetteer: Gazetteer
    snap_max_m: float

    def snap(self, point: Point) -> Snap:
        """A point on the road.

        Raises:
            OffNetwork: The nearest road is farther than the limit; the message names its distance.
        """
        lon, lat = to_wgs84(point.lon, point.lat, point.crs)
        return self.roads.snap(lon, lat, max_m=self.snap_max_m)

    def location(self, point: Point | None, place: str | None) -> Location:
        """A checked location out of a point or a place's name.

        Raises:
            OffNetwork: Too far from any road.
            UnknownPlace: The gazetteer has no such place.
            AmbiguousPlace: Several places carry the name.
        """
        if point is not None:
            return self._located(point, "")
        if place is None:
            raise InvalidRequest("give either location or place")
        found = self.gazetteer.find(place)
        return self._located(Point(lon=found.lon, lat=found.lat), found.name)

    def _located(self, point: Point, name: str) -> Location:
        snap = self.snap(point)
        zone = self.promise.zone_at(snap.lon, snap.lat)
        area = self.promise.area_at(snap.lon, snap.lat)
        platform = self.promise.platform_at(snap.lon, snap.lat)
        return Location(
            lon=snap.lon,
            lat=snap.lat,
            crs=point.crs,
            given_lon=point.lon,
            given_lat=point.lat,
            snapped_lon=snap.snapped_lon,
            snapped_lat=snap.snapped_lat,
            road=snap.road,
            offset_m=snap.distance_m,
            address=name or snap.road,
            zone_class=zone.zone_class,
            target_s=zone.target_s,
            platform_id=None if platform is None else platform.platform_id,
            area_id=None if area is None else area.area_id,
        )
