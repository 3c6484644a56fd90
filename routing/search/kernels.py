"""Chooses the compiled kernel, or its twin in plain Python where numba is missing."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from routing.search.arrays import (
    CLOSED_MS,
    STANDS_MAX,
    Found,
    Places,
    RoadArrays,
    Units,
    Weights,
)

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
        """See `routing.search.kernel.spread`."""


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
    weights = Weights(seconds, seconds.copy(), seconds.copy())
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
