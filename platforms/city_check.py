"""Checks a city against the roads it is to be used on, and against its own promise."""

from __future__ import annotations

from collections.abc import Iterator

from platforms.city import City, UnitKind
from platforms.errors import CityOffNetwork
from platforms.promise import Promise
from routing.errors import OffNetwork
from routing.roads import Roads

SNAP_MAX_M = 150.0
"""ASSUMPTION: a platform or key site farther than this from a street is misplaced."""


def check_city(
    city: City,
    roads: Roads,
    *,
    promise: Promise | None = None,
    snap_max_m: float = SNAP_MAX_M,
) -> tuple[str, ...]:
    """Checks that platforms and key sites lie on the roads and inside what the city promises.

    Args:
        city: The city.
        roads: The network it is to be used on.
        promise: The city's promise where it is built already.
        snap_max_m: Farthest distance from a street.

    Returns:
        Warnings: what is odd but can be lived with, one sentence each.

    Raises:
        CityOffNetwork: Points off the network, each with its name and distance.
    """
    problems = tuple(_off_network(city, roads, snap_max_m))
    if problems:
        raise CityOffNetwork(problems)
    return (*_zone_warnings(city, promise or Promise(city)), *_crew_warnings(city))


def _off_network(city: City, roads: Roads, snap_max_m: float) -> Iterator[str]:
    points = [
        *((f"platform {p.platform_id} {p.name}", p.lon, p.lat) for p in city.platforms),
        *((f"key site {s.site_id} {s.name}", s.lon, s.lat) for s in city.key_sites),
    ]
    for what, lon, lat in points:
        try:
            roads.snap(lon, lat, max_m=snap_max_m)
        except OffNetwork as error:
            yield (
                f"{what} at {lon},{lat} lies {error.nearest_m:.0f} m from the nearest street, more"
                f" than {snap_max_m:.0f} m; mend its coordinates (longitude first, WGS-84) or"
                " import the network of its town"
            )


def _zone_warnings(city: City, promise: Promise) -> Iterator[str]:
    for site in city.key_sites:
        zone = promise.zone_at(site.lon, site.lat)
        if zone.zone_class != "key_site":
            yield f"key site {site.site_id} {site.name} lies in zone {zone.name}, not in a key_site"
    for platform in city.platforms:
        grid = promise.grid_at(platform.lon, platform.lat)
        if grid is None or grid.grid_id != platform.grid_id:
            where = "no grid" if grid is None else f"grid {grid.grid_id}"
            yield (
                f"platform {platform.platform_id} {platform.name} stands in {where}, not in its own"
                f" {platform.grid_id}"
            )


def _crew_warnings(city: City) -> Iterator[str]:
    patrols = {
        unit.platform_id
        for unit in city.units
        if unit.on_duty and unit.kind in {UnitKind.RESPONSE_CAR, UnitKind.MOTORCYCLE}
    }
    for platform in city.platforms:
        if platform.platform_id not in patrols:
            yield (
                f"platform {platform.platform_id} {platform.name} has no car or motorcycle on duty"
            )
