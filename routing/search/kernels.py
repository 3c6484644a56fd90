"""Chooses the compiled kernel, or its twin in plain Python where numba is missing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from routing.search.arrays import (
    CLOSED_MS,
    STANDS_MAX,
    FollowedWay,
    Found,
    Places,
    RoadArrays,
    Units,
    WayArrays,
    Weights,
)
from routing.search.street_grid import StreetGrid, StreetPoint

NO_NUMBA_VARIABLE = "KUAIJING_NO_NUMBA"
"""Set to 1, the twin is used although numba is there."""


class Kernel(Protocol):
    """What both kernels offer; the arguments are described in `routing.search.kernel`."""

    COMPILED: bool

    def new_workspace(self, label_count: int, unit_count: int) -> Any:
        """See `routing.search.kernel.new_workspace`."""

    def nearest(  # noqa: PLR0917  # compiled functions take arguments by position
        self,
        network: RoadArrays,
        weights: Weights,
        targets: Places,
        units: Units,
        eligible: NDArray[np.bool_],
        k: int,
        limit_ms: int,
        space: Any,
        stamp: int,
    ) -> Found:
        """See `routing.search.kernel.nearest`."""

    def spread(
        self,
        network: RoadArrays,
        arc_ms: NDArray[np.int32],
        turn_ms: NDArray[np.int32],
        origins: Places,
        limit_ms: int,
    ) -> NDArray[np.int32]:
        """See `routing.search.kernel_spread.spread`."""

    def follow(  # noqa: PLR0917
        self,
        ways: WayArrays,
        arc_ms: NDArray[np.int32],
        turn_ms: NDArray[np.int32],
        arcs: Sequence[int],
        from_share: float,
        to_share: float,
    ) -> FollowedWay:
        """See `routing.search.kernel_way.follow`."""

    def nearest_street(
        self, grid: StreetGrid, lon: float, lat: float, heading_deg: float, max_m: float
    ) -> StreetPoint:
        """See `routing.search.kernel_snap.nearest_street`."""


def choose_kernel(*, python_twin: bool = False) -> Kernel:
    """The fastest kernel that works here.

    Args:
        python_twin: Take the twin in any case.
    """
    forbidden = os.environ.get(NO_NUMBA_VARIABLE, "") not in {"", "0"}
    twin = python_twin or forbidden or find_spec("numba") is None
    return cast(
        "Kernel", import_module("routing.search.kernel_python" if twin else "routing.search.kernel")
    )


def warm_up(kernel: Kernel) -> None:
    """Compile the searches, or load them from the cache, on a street of two arcs."""
    ends = np.array([0, 1, 2], dtype=np.int32)
    other = np.array([1, 0], dtype=np.int32)
    network = RoadArrays(np.ones(2), ends, other, ends.copy(), other.copy())
    seconds = np.full(2, 1000, dtype=np.int32)
    nothing = np.empty(0, dtype=np.int32)
    weights = Weights(seconds, nothing, seconds.copy(), seconds.copy())
    units = Units(
        np.zeros(1, dtype=np.int32),
        np.array([[0] + [-1] * (STANDS_MAX - 1)], dtype=np.int32),
        np.zeros((1, STANDS_MAX)),
        np.zeros(1, dtype=np.int64),
    )
    place = Places(np.ones(1, dtype=np.int32), np.ones(1))
    everyone = np.ones(1, dtype=np.bool_)
    space = kernel.new_workspace(2, 1)
    kernel.nearest(network, weights, place, units, everyone, 1, CLOSED_MS - 1, space, 2)
    kernel.spread(network, seconds, seconds.copy(), place, CLOSED_MS - 1)
    line = np.array([[0.0, 0.0], [0.001, 0.0], [0.001, 0.0], [0.0, 0.0]])
    kinds = np.zeros(2, dtype=np.uint8)
    ways = WayArrays(ends, other, kinds, other.copy(), np.ones(2), np.array([0, 2, 4]), line)
    kernel.follow(ways, seconds, seconds.copy(), (0, 1), 0.5, 0.5)
    whole = np.array([0, 1]), np.zeros(1, dtype=np.int32), np.zeros(2), np.ones(2), np.ones(2, int)
    street = line[:2].reshape(1, 4), other[:1], other[:1].copy(), np.zeros(1), np.ones(1)
    kernel.nearest_street(StreetGrid(*street, *whole), 0.0, 0.0, 90.0, 200.0)
