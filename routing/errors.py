"""What can go wrong with roads.

RoadError
├── NetworkFileError      a source or compiled file that cannot be used
│   ├── NetworkMissing    no such file
│   ├── SourceUnreadable  truncated, hostile, not OSM
│   ├── SourceTooCostly   reading it took more than the import may take
│   ├── NetworkEmpty      no road a car may use
│   ├── NetworkInPieces   a second large piece that cannot be driven to
│   └── CompiledMismatch  a compiled file of another version, or damaged
├── AreaInvalid           an area that cannot be asked for
├── DownloadFailed        Overpass did not answer with roads
├── OffNetwork            a point too far from any road
├── Unreachable           no way by road
├── UnknownRoad           a way or arc that the network does not have
└── ConditionInvalid      a closure or slow-down that contradicts itself
"""

from __future__ import annotations


class RoadError(Exception):
    """Root of all errors of `routing`; the message says what, why and how to mend."""


class NetworkFileError(RoadError):
    """A source or compiled network file that cannot be used."""


class NetworkMissing(NetworkFileError):
    """There is no file where a source or compiled network was expected."""


class SourceUnreadable(NetworkFileError):
    """The OSM file is truncated, damaged, too large or of no known format."""


class SourceTooCostly(NetworkFileError):
    """Reading the OSM file took more memory or time than an import may take, or broke it off."""


class NetworkEmpty(NetworkFileError):
    """The source holds no road that a motor vehicle may use."""


class NetworkInPieces(NetworkFileError):
    """The source holds a second large piece that cannot be reached from the largest."""


class CompiledMismatch(NetworkFileError):
    """The compiled file is damaged or was written by another version of the format."""


class AreaInvalid(RoadError):
    """The outline of an area is no valid polygon, or too large."""


class DownloadFailed(RoadError):
    """The Overpass server did not answer, or not with roads."""


class OffNetwork(RoadError):
    """A point lies farther from any road than allowed.

    Attributes:
        nearest_m: Metres to the nearest usable road.
        limit_m: The farthest that is accepted.
    """

    def __init__(self, message: str, *, nearest_m: float, limit_m: float) -> None:
        super().__init__(message)
        self.nearest_m = nearest_m
        self.limit_m = limit_m


class Unreachable(RoadError):
    """No permitted way leads from one place to the other."""


class UnknownRoad(RoadError):
    """A way or arc id that the network does not have."""


class ConditionInvalid(RoadError):
    """A closure or slow-down that contradicts itself."""
