"""The network and the city, and whether they belong together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from api.checkup.finding import Finding, guarded
from api.compiled import open_shipped_network
from platforms.city import City
from platforms.city_check import check_city
from platforms.city_files import load_city
from platforms.errors import CityOffNetwork
from platforms.shipped import shipped_city
from routing.graph import RoadGraph
from routing.network_file import Manifest, load_network
from routing.roads import Roads


def look_at_data(network: Path | None, city: Path | None) -> Iterator[Finding]:
    """Findings about a network and a city; those that ship where none is given."""
    roads: list[tuple[RoadGraph, Manifest]] = []
    cities: list[City] = []

    def network_found() -> Finding:
        if network is None:
            graph, manifest = open_shipped_network(say=lambda _text: None)
        else:
            graph, manifest = load_network(network)
        roads.append((graph, manifest))
        kind = "synthetic" if manifest.synthetic else "surveyed"
        text = f"{graph.road_version}, {graph.arc_count} edges, {kind}"
        return Finding("network", True, text)

    def city_found() -> Finding:
        found = load_city(city or shipped_city())
        ZoneInfo(found.timezone)
        cities.append(found)
        kind = "synthetic" if found.synthetic else "real"
        text = f"{found.name}, {len(found.platforms)} platforms, {len(found.units)} units, {kind}"
        return Finding("city", True, text)

    yield from guarded("network", network_found)
    yield from guarded("city", city_found)
    if roads and cities:
        yield from guarded("fit", lambda: _fit(cities[0], Roads(*roads[0])))


def _fit(city: City, roads: Roads) -> Finding:
    try:
        warnings = check_city(city, roads)
    except CityOffNetwork as error:
        more = f" and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
        text = f"{error.problems[0]}{more}; see `kuaijing city check`"
        return Finding("fit", False, text)
    if warnings:
        return Finding("fit", None, "; ".join(warnings))
    return Finding("fit", True, "every platform and key site lies on the network")
