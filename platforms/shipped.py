"""Where the network and the city that ship are found."""

from __future__ import annotations

from pathlib import Path

from platforms.errors import CityFileError

_ROOT = Path(__file__).resolve().parent.parent


def shipped_dir() -> Path:
    """The folder with `osm/` and `shaoyang/`: of an installed wheel, or of a checkout.

    Raises:
        CityFileError: Neither is there: the installation is not whole.
    """
    for folder in (_ROOT / "api" / "shipped_data", _ROOT / "data"):
        if (folder / "shaoyang" / "city.json").is_file():
            return folder
    raise CityFileError(
        str(_ROOT / "data"), "the city that ships is not there; install the package again"
    )


def shipped_city() -> Path:
    """The city folder that ships."""
    return shipped_dir() / "shaoyang"


def shipped_network() -> Path:
    """The OSM file of the stand-in network that ships."""
    return shipped_dir() / "osm" / "shaoyang-stand-in.osm.pbf"
