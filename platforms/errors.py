"""What can go wrong with a city's data and its places.

CityError
├── CityFileError     a file of the city folder that is missing, damaged or contradicts another
├── CityFolderRefused a folder that must not be written over
├── CityOffNetwork    platforms or key sites that lie off the roads
├── SketchImpossible  a network too small for the city asked for
├── UnknownPlace      a place name that the gazetteer does not have
└── AmbiguousPlace    a place name that several places carry
"""

from __future__ import annotations


class CityError(Exception):
    """Root of all errors of `platforms`; the message says what, why and how to mend."""


class CityFileError(CityError):
    """A file of the city folder is missing, damaged, or contradicts another file.

    Attributes:
        where: The file and the line or feature, as "units.csv line 7".
    """

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where = where


class CityFolderRefused(CityError):
    """The folder holds something that a sketch must not write over."""


class CityOffNetwork(CityError):
    """Platforms or key sites lie too far from any road.

    Attributes:
        problems: One sentence for each, with its name and distance.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SketchImpossible(CityError):
    """The network is too small for the number of platforms or key sites asked for."""


class UnknownPlace(CityError):
    """No place of the gazetteer has this name.

    Attributes:
        candidates: Names that come near, best first.
    """

    def __init__(self, message: str, *, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.candidates = candidates


class AmbiguousPlace(CityError):
    """Several places carry this name.

    Attributes:
        candidates: The places meant, each with its kind and coordinates.
    """

    def __init__(self, message: str, *, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.candidates = candidates
