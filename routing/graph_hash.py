"""The version of a road graph: a hash of all that routing reads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.graph import RoadGraph

VERSION_DIGITS = 16


def array_fields(graph: RoadGraph) -> dict[str, NDArray[Any]]:
    """The graph's arrays by field name, in the order of the class."""
    values = ((field.name, getattr(graph, field.name)) for field in fields(graph))
    return {name: value for name, value in values if isinstance(value, np.ndarray)}


def content_hash(graph: RoadGraph) -> str:
    """The `road_version` of a graph: 16 hex digits that change when any content changes."""
    digest = hashlib.blake2b(digest_size=VERSION_DIGITS // 2)
    for name, values in array_fields(graph).items():
        digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        digest.update(np.ascontiguousarray(values).data)
    digest.update(json.dumps(graph.names, ensure_ascii=False).encode())
    return digest.hexdigest()
