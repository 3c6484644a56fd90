"""The network as GeoJSON, gzipped once for each road version and kept beside the log."""

from __future__ import annotations

import asyncio
import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np

from api.http.views.geojson import COORDINATE_DIGITS
from api.http.views.plain import encode
from routing.graph import ROAD_CLASSES, ArcFlag, RoadGraph
from routing.roads import Roads

FORMAT_VERSION = 1
"""Part of the file's name: grows when the features change."""


class NetworkMap:
    """Makes the map at the first question, off the event loop, and keeps it in memory and on disk.

    One feature is one street between two crossings; where it can be driven both ways it holds the
    edges of both directions.
    """

    def __init__(self, roads: Roads, cache_dir: Path, *, synthetic: bool, attribution: str) -> None:
        self._graph = roads.graph
        self._path = cache_dir / f"roads-{roads.road_version}-{FORMAT_VERSION}.geojson.gz"
        self._synthetic = synthetic
        self._attribution = attribution
        self._zipped: bytes | None = None
        self._making = asyncio.Lock()

    async def zipped(self) -> bytes:
        """The map, gzipped."""
        async with self._making:
            if self._zipped is None:
                self._zipped = await asyncio.to_thread(self._load_or_make)
            return self._zipped

    def _load_or_make(self) -> bytes:
        if self._path.exists():
            return self._path.read_bytes()
        # mtime 0: the same network gives the same bytes, and so the same ETag.
        zipped = gzip.compress(encode(self._collection()), compresslevel=6, mtime=0)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(f".{os.getpid()}.new")
        draft.write_bytes(zipped)
        draft.replace(self._path)
        return zipped

    def _collection(self) -> dict[str, Any]:
        graph = self._graph
        one_way = graph.arc_reverse < 0
        drawn = np.flatnonzero(one_way | (graph.arc_reverse > np.arange(graph.arc_count)))
        points = graph.geom_lonlat.round(COORDINATE_DIGITS)
        return {
            "type": "FeatureCollection",
            "road_version": graph.road_version,
            "synthetic": self._synthetic,
            "attribution": self._attribution,
            "features": [_feature(graph, int(arc), points) for arc in drawn],
        }


def _feature(graph: RoadGraph, arc: int, points: Any) -> dict[str, Any]:
    reverse = int(graph.arc_reverse[arc])
    flags = int(graph.arc_flags[arc])
    maxspeed_kmh = float(graph.arc_maxspeed_kmh[arc])
    line = points[graph.geom_start[arc] : graph.geom_start[arc + 1]]
    return {
        "type": "Feature",
        "id": str(arc),
        "geometry": {"type": "LineString", "coordinates": line.tolist()},
        "properties": {
            "edge_id": str(arc),
            "reverse_edge_id": None if reverse < 0 else str(reverse),
            "way_id": str(int(graph.arc_way_id[arc])),
            "road": graph.names[graph.arc_name[arc]],
            "road_class": ROAD_CLASSES[graph.arc_class[arc]],
            "oneway": reverse < 0,
            "bridge": bool(flags & ArcFlag.BRIDGE),
            "tunnel": bool(flags & ArcFlag.TUNNEL),
            "length_m": round(float(graph.arc_length_m[arc]), 1),
            "maxspeed_kmh": maxspeed_kmh or None,
        },
    }
