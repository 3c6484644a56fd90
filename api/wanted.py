"""What a service is to be made of, and a first look at whether it can be: before anything heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api.errors import DataMissing
from api.settings import Settings, load_settings
from api.storing import SQLITE, store_opener


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a service is to be made of.

    Attributes:
        data_dir: Folder of the log; made when missing.
        city: City folder; None is the one that ships.
        network: Compiled network; None is the one that ships.
        store: Where the log is kept: `sqlite`, or the address of a Redis server.
        behind_proxy: Whether a proxy in front says whose scheme and address it passes on.
        peer: Where this worker takes what others pass on; None where one process serves alone.
    """

    data_dir: Path
    city: Path | None = None
    network: Path | None = None
    store: str = SQLITE
    behind_proxy: bool = False
    peer: str | None = None


def prepare_folder(wanted: Wanted) -> Settings:
    """Makes the folder and reads its settings.

    Raises:
        SettingsInvalid: Settings or the store's name cannot be used.
        DataMissing: The folder cannot be made.
    """
    try:
        wanted.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DataMissing(f"--data {wanted.data_dir} cannot be made: {error.strerror}") from error
    settings = load_settings(wanted.data_dir)
    # Looked at before the roads are loaded, so that a slip is told at once.
    store_opener(wanted.store, wanted.data_dir, settings.redis)
    return settings
