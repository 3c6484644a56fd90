"""Checks a city folder from outside in a limited child process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platforms.errors import CityError
from routing import errors as road
from routing.limited_child import Bounds, ChildRefused, ChildStopped, run_limited

if TYPE_CHECKING:
    from platforms.city import City

BOUNDS = Bounds(memory_bytes=2 * 2**30, cpu_s=300, file_bytes=2**28)
"""The stand-in and its network take 460 MB of address space and 2.5 s of processor time; compiling
the searches for the first time takes more."""


def check_limited(folder: Path, network: Path, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Checks a folder that may be hostile against a network.

    Args:
        folder: The city folder.
        network: The compiled network.
        say: Told what the child says.

    Returns:
        What the city holds: its name, counts, warnings.

    Raises:
        CityError: The folder breaks a rule, or could not be read within the bounds.
        RoadError: The network cannot be read.
    """
    arguments = {"folder": str(folder), "network": str(network)}
    try:
        report: dict[str, Any] = run_limited(
            "platforms.limited_check:check_here", arguments, BOUNDS, say=say
        )
    except ChildRefused as refused:
        kind = getattr(road, refused.kind, None)
        if isinstance(kind, type) and issubclass(kind, road.NetworkFileError):
            raise kind(*refused.arguments) from refused
        raise CityError(str(refused)) from refused
    except ChildStopped as stopped:
        raise CityError(
            f"{folder} was not checked: {stopped}; it is no list of a city's forces"
        ) from stopped
    return report


def check_here(folder: str, network: str) -> dict[str, Any]:
    """The child's part."""
    from platforms.city_check import check_city  # noqa: PLC0415  # after the limits are set
    from platforms.city_files import load_city  # noqa: PLC0415
    from routing.roads import Roads  # noqa: PLC0415

    city = load_city(Path(folder))
    warnings = check_city(city, Roads.open(Path(network)))
    return city_report(city, warnings)


def city_report(city: City, warnings: tuple[str, ...]) -> dict[str, Any]:
    """What a city holds, for the commands to tell."""
    return {
        "city": city.name,
        "synthetic": city.synthetic,
        "areas": len(city.areas),
        "platforms": len(city.platforms),
        "units": len(city.units),
        "grids": len(city.grids),
        "zones": len(city.zones),
        "key_sites": len(city.key_sites),
        "places": len(city.places),
        "warnings": list(warnings),
    }
