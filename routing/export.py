"""Exports for analysts: every arc and turn as CSV, the whole network as GraphML."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.graph import ROAD_CLASSES, ArcFlag, RoadGraph, TurnFlag, TurnKind
from routing.search.arrays import CLOSED_MS
from routing.whole_file import replacing

Milliseconds = Mapping[str, NDArray[np.int32]]
"""Milliseconds per arc or turn for each profile; `CLOSED_MS` where it may not go."""

BANNED = "banned"
CLOSED = "closed"
_DEGREES = ".7f"
"""OSM's own precision, about a centimetre."""


def export_arcs_csv(graph: RoadGraph, milliseconds: Milliseconds, path: Path) -> None:
    """Writes one line per directed arc.

    Args:
        graph: The network.
        milliseconds: Driving time per profile and arc.
        path: The file to write.

    Raises:
        OSError: The file cannot be written; nothing is left behind.
    """
    columns: dict[str, Iterable[object]] = {
        "arc": range(graph.arc_count),
        "from_node": graph.node_osm_id[graph.arc_from].tolist(),
        "to_node": graph.node_osm_id[graph.arc_to].tolist(),
        "from_lon": _degrees(graph.node_lon[graph.arc_from]),
        "from_lat": _degrees(graph.node_lat[graph.arc_from]),
        "to_lon": _degrees(graph.node_lon[graph.arc_to]),
        "to_lat": _degrees(graph.node_lat[graph.arc_to]),
        "length_m": [f"{length_m:.3f}" for length_m in graph.arc_length_m.tolist()],
        "class": [ROAD_CLASSES[position] for position in graph.arc_class.tolist()],
        "name": [graph.names[position] for position in graph.arc_name.tolist()],
        "way": graph.arc_way_id.tolist(),
        "maxspeed_kmh": [f"{kmh:g}" if kmh else "" for kmh in graph.arc_maxspeed_kmh.tolist()],
        "flags": _words(ArcFlag, graph.arc_flags),
        "reverse": [arc if arc >= 0 else "" for arc in graph.arc_reverse.tolist()],
        "core": graph.arc_core.astype(np.int8).tolist(),
    }
    columns |= {f"{profile}_ms": _milliseconds(ms, CLOSED) for profile, ms in milliseconds.items()}
    _write_csv(columns, path)


def export_turns_csv(graph: RoadGraph, milliseconds: Milliseconds, path: Path) -> None:
    """Writes one line per turn, banned ones too.

    Args:
        graph: The network.
        milliseconds: Cost per profile and turn.
        path: The file to write.

    Raises:
        OSError: The file cannot be written; nothing is left behind.
    """
    turn_from = np.repeat(np.arange(graph.arc_count), np.diff(graph.turn_start))
    columns: dict[str, Iterable[object]] = {
        "from_arc": turn_from.tolist(),
        "to_arc": graph.turn_to.tolist(),
        "via_node": graph.node_osm_id[graph.arc_to[turn_from]].tolist(),
        "kind": [TurnKind(kind).name.lower() for kind in graph.turn_kind.tolist()],
        "angle_deg": [f"{angle:.1f}" for angle in graph.turn_angle_deg.tolist()],
        "flags": _words(TurnFlag, graph.turn_flags),
    }
    columns |= {f"{profile}_ms": _milliseconds(ms, BANNED) for profile, ms in milliseconds.items()}
    _write_csv(columns, path)


def _degrees(values: NDArray[np.float64]) -> list[str]:
    return [format(value, _DEGREES) for value in values.tolist()]


def _milliseconds(values: NDArray[np.int32], never: str) -> list[object]:
    return [never if value >= CLOSED_MS else value for value in values.tolist()]


def _words(kind: type[ArcFlag | TurnFlag], bits: NDArray[Any]) -> list[str]:
    """Flags as words; there are few different sets of bits, so each is spelt once."""
    values, position = np.unique(bits, return_inverse=True)
    spelt = [
        " ".join((flag.name or "").lower() for flag in kind(value)) for value in values.tolist()
    ]
    return [spelt[place] for place in position.tolist()]


def _write_csv(columns: Mapping[str, Iterable[object]], path: Path) -> None:
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as out,
    ):
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(map(_harmless, column) for column in columns.values()), strict=True))


def _harmless(value: object) -> object:
    """A street name that starts like a formula would be run by a spreadsheet."""
    if isinstance(value, str) and value.startswith(("=", "+", "@", "\t", "\r")):
        return f"'{value}"
    return value


def export_graphml(graph: RoadGraph, milliseconds: Milliseconds, path: Path) -> None:
    """Writes the arcs as a directed multigraph for networkx or Gephi.

    Turn restrictions and costs have no place in GraphML: a route in it may break them.

    Args:
        graph: The network.
        milliseconds: Driving time per profile and arc; closed arcs lack the attribute.
        path: The file to write.

    Raises:
        OSError: The file cannot be written; nothing is left behind.
    """
    import networkx  # noqa: PLC0415  # only analysts' commands pay for it

    network = to_networkx(graph, milliseconds)
    with replacing(path) as temporary:
        networkx.write_graphml(network, temporary)


def to_networkx(graph: RoadGraph, milliseconds: Milliseconds) -> Any:
    """The network as a `networkx.MultiDiGraph` its attributes named as OSM and osmnx name them."""
    import networkx  # noqa: PLC0415

    network = networkx.MultiDiGraph(crs="epsg:4326", road_version=graph.road_version)
    osm_ids: Sequence[int] = graph.node_osm_id.tolist()
    for osm_id, lon, lat in zip(
        osm_ids, graph.node_lon.tolist(), graph.node_lat.tolist(), strict=True
    ):
        network.add_node(osm_id, x=lon, y=lat)
    times = {f"{profile}_ms": ms.tolist() for profile, ms in milliseconds.items()}
    for arc in range(graph.arc_count):
        ends = osm_ids[graph.arc_from[arc]], osm_ids[graph.arc_to[arc]]
        open_times = {name: ms[arc] for name, ms in times.items() if ms[arc] < CLOSED_MS}
        network.add_edge(*ends, key=arc, **_edge(graph, arc), **open_times)
    return network


def _edge(graph: RoadGraph, arc: int) -> dict[str, Any]:
    flags = ArcFlag(int(graph.arc_flags[arc]))
    line = ", ".join(f"{lon:.7f} {lat:.7f}" for lon, lat in graph.arc_line(arc).tolist())
    return {
        "osmid": int(graph.arc_way_id[arc]),
        "highway": ROAD_CLASSES[graph.arc_class[arc]],
        "name": graph.names[graph.arc_name[arc]],
        "length": float(graph.arc_length_m[arc]),
        "oneway": ArcFlag.ONEWAY in flags,
        "bridge": ArcFlag.BRIDGE in flags,
        "tunnel": ArcFlag.TUNNEL in flags,
        "core": bool(graph.arc_core[arc]),
        "geometry": f"LINESTRING ({line})",
    }
