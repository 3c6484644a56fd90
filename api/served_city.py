"""DIR/served-city.json: which city a service's folder belongs to, as of its last start.

The log names units by their ids and a replay begins with the city's units, so that commands which
work on the folder alone have to know the city too.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from api.errors import SettingsInvalid, TokenRefused
from routing.whole_file import replacing

if TYPE_CHECKING:
    from platforms.city import City

SERVED_CITY_FILE = "served-city.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedCity:
    """The city that a service last ran with.

    Attributes:
        name: As "邵阳市".
        folder: Its folder, absolute; None for the one that ships.
        units_sha256: Digest of its units, see `dispatch.replay.units_sha256`.
        unit_ids: Its units, ascending.
    """

    name: str
    folder: str | None
    units_sha256: str
    unit_ids: list[str]

    @property
    def told(self) -> str:
        """The city and where it is, for people."""
        return f"{self.name} ({self.folder or 'the city that ships'}, {len(self.unit_ids)} units)"


_decoder = msgspec.json.Decoder(ServedCity)


def keep_served_city(data_dir: Path, city: City, folder: Path | None) -> ServedCity | None:
    """Writes down the city that a service runs with.

    Args:
        data_dir: The service's folder.
        city: The city.
        folder: Where it was read from; None for the one that ships.

    Returns:
        The one that stood there before, None where none did or it could not be read.

    Raises:
        OSError: The folder cannot be written to.
    """
    from dispatch.replay import units_sha256  # noqa: PLC0415  # `token` shall not wait for it

    try:
        before = read_served_city(data_dir)
    except SettingsInvalid:
        before = None
    record = ServedCity(
        name=city.name,
        folder=None if folder is None else str(folder.resolve()),
        units_sha256=units_sha256(city),
        unit_ids=sorted(unit.unit_id for unit in city.units),
    )
    if record != before:
        with replacing(data_dir / SERVED_CITY_FILE) as draft:
            draft.write_bytes(msgspec.json.encode(record) + b"\n")
    return before


def read_served_city(data_dir: Path) -> ServedCity | None:
    """The city that a service last ran with on this folder; None where none has.

    Raises:
        SettingsInvalid: The file is damaged or cannot be read.
    """
    path = data_dir / SERVED_CITY_FILE
    try:
        return _decoder.decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsInvalid(
            f"{path} cannot be read ({error.strerror}); give this user the right to"
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SettingsInvalid(
            f"{path} is damaged ({error}); remove it, the next start of the service makes it anew"
        ) from error


def check_unit(data_dir: Path, unit_id: str) -> str | None:
    """Makes sure that a unit is one of the folder's city.

    Args:
        data_dir: The service's folder.
        unit_id: The unit.

    Returns:
        Why nobody can tell, for people; None where it is one of the city's.

    Raises:
        TokenRefused: The city has no such unit.
    """
    unsure = f"whether {unit_id} is a unit of its city could not be looked up"
    try:
        record = read_served_city(data_dir)
    except SettingsInvalid as error:
        return f"{unsure}: {error}"
    if record is None:
        return f"{unsure}: no service has run on {data_dir} yet"
    if unit_id in record.unit_ids:
        return None
    # The files may have got new units since the service last started.
    try:
        ids = _units_of_today(record)
    except (OSError, ValueError) as error:
        return f"{unsure}, it was none when the service last started: {error}"
    if unit_id in ids:
        return f"{unit_id} is new in the city's files: start the service again to let it in"
    near = ", ".join(get_close_matches(unit_id, ids, n=3)) or ", ".join(ids[:3])
    raise TokenRefused(
        f"{record.told} has no unit {unit_id!r}; is one of these meant: {near}? GET /v1/units has"
        " them all"
    )


def _units_of_today(record: ServedCity) -> list[str]:
    from platforms.city_files import load_city  # noqa: PLC0415  # it takes a second
    from platforms.errors import CityError  # noqa: PLC0415
    from platforms.shipped import shipped_city  # noqa: PLC0415

    try:
        city = load_city(shipped_city() if record.folder is None else Path(record.folder))
    except CityError as error:
        raise ValueError(str(error)) from error
    return sorted(unit.unit_id for unit in city.units)
