"""Writes the elements of Overpass answers as an OSM file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import osmium
from osmium.osm import mutable

from routing.errors import DownloadFailed
from routing.whole_file import replacing

GENERATOR = "kuaijing roads download"
_KINDS = ("node", "way", "relation")
_MEMBER_LETTERS = {"node": "n", "way": "w", "relation": "r"}


def write_elements(
    elements: Iterable[Mapping[str, Any]], target: Path, *, data_date: str | None
) -> None:
    """Writes each element once, nodes first, in the order of their ids.

    Args:
        elements: As `[out:json]` gives them; neighbouring requests repeat some.
        target: The file; its ending chooses the format.
        data_date: Date of the data for the file's header, RFC 3339.

    Raises:
        DownloadFailed: There is no road among them, or one is not as Overpass writes it.
        OSError: The file cannot be written.
    """
    by_kind: dict[str, dict[int, Mapping[str, Any]]] = {kind: {} for kind in _KINDS}
    try:
        for element in elements:
            by_kind[element["type"]].setdefault(element["id"], element)
        entities = [
            _entity(kind, by_kind[kind][osm_id])
            for kind in _KINDS
            for osm_id in sorted(by_kind[kind])
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise DownloadFailed(
            f"the server's elements are not as Overpass writes them: {error!r}"
        ) from error
    if not by_kind["way"]:
        raise DownloadFailed("the server has no road in this area; check the place or the box")
    with replacing(target) as temporary:
        _write(entities, temporary, data_date)


def _write(entities: Iterable[Any], path: Path, data_date: str | None) -> None:
    header = osmium.io.Header()
    header.set("generator", GENERATOR)
    if data_date is not None:
        header.set("osmosis_replication_timestamp", data_date)
    with osmium.SimpleWriter(str(path), header=header, overwrite=True) as writer:
        for entity in entities:
            writer.add(entity)


def _entity(kind: str, element: Mapping[str, Any]) -> Any:
    tags = {str(key): str(value) for key, value in element.get("tags", {}).items()}
    osm_id = int(element["id"])
    if kind == "node":
        place = (float(element["lon"]), float(element["lat"]))
        return mutable.Node(id=osm_id, location=place, tags=tags)
    if kind == "way":
        return mutable.Way(id=osm_id, nodes=[int(ref) for ref in element["nodes"]], tags=tags)
    members = [
        (_MEMBER_LETTERS[member["type"]], int(member["ref"]), str(member["role"]))
        for member in element["members"]
    ]
    return mutable.Relation(id=osm_id, members=members, tags=tags)
