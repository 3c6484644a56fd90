"""What the demo must know of the town, asked of the service: platforms, known points, names."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from api.demo.service import Service
from api.demo.track import LonLat, distance_m, moved

FEWEST_POINTS = 8
"""Below this many known points around a platform, random ones are mixed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPlace:
    """A place that callers know by name."""

    name: str
    point: LonLat


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """The town as callers and crews know it.

    Attributes:
        platforms: Point of each platform by its id.
        places: Named places: key sites first, then the gazetteer's.
    """

    platforms: dict[str, LonLat]
    places: tuple[NamedPlace, ...]

    def patrol_points(self, *, radius_m: float) -> dict[str, list[LonLat]]:
        """Known points around each platform, by its id."""
        corner = moved((0.0, 0.0), east_m=0.0, north_m=radius_m)
        return {
            platform_id: [
                place.point
                for place in self.places
                # Ten thousand places, 33 platforms: most are ruled out by their latitude.
                if abs(place.point[1] - home[1]) <= corner[1]
                and distance_m(home, place.point) <= radius_m
            ]
            for platform_id, home in self.platforms.items()
        }


async def ask_town(service: Service, token: str) -> Town:
    """Ask the service for platforms, key sites and places."""
    platforms = await service.items("/v1/platforms", token)
    sites = (await service.get("/v1/key-sites", token)).raise_for_status().json()["features"]
    places = await service.items("/v1/places", token)
    named = [
        NamedPlace(name=site["properties"]["name"], point=_lon_lat(site["geometry"]["coordinates"]))
        for site in sites
    ]
    named += [NamedPlace(name=place["name"], point=_point(place)) for place in places]
    unique = {place.name: place for place in reversed(named)}
    return Town(
        platforms={platform["id"]: _point(platform) for platform in platforms},
        places=tuple(reversed(unique.values())),
    )


def random_point(chance: Random, around: LonLat, *, spread_m: float) -> LonLat:
    """A point drawn around another, normally distributed with `spread_m` each way."""
    return moved(around, east_m=chance.gauss(0.0, spread_m), north_m=chance.gauss(0.0, spread_m))


def _point(item: dict[str, Any]) -> LonLat:
    location = item["location"]
    return location["lon"], location["lat"]


def _lon_lat(coordinates: list[float]) -> LonLat:
    return coordinates[0], coordinates[1]
