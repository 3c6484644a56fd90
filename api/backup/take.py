"""Takes a backup of a service's folder, running or not."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from api.backup.manifest import (
    BESIDE_THE_LOG,
    MANIFEST_FILE,
    MANIFEST_FORMAT,
    Manifest,
    described,
    manifest_bytes,
)
from api.backup.synced import sync
from api.callers.caller_tables import CALLERS_FILE
from api.clock import now_ms, rfc3339
from api.errors import BackupFailed, DataMissing, SettingsInvalid
from api.served_city import read_served_city
from api.settings import load_settings
from api.storing import why_no_log
from dispatch.replay import units_sha256
from dispatch.store.copy_log import copy_log
from dispatch.store.signed_heads import KEY_NAME, HeadKey, SignedHead, append_head, sign_head
from dispatch.store.sqlite_log import LOG_NAME
from dispatch.verifying import Verified, verify
from platforms.city import City
from platforms.city_files import load_city
from platforms.errors import CityError
from platforms.shipped import shipped_city

DISTRIBUTION = "shaoyang-kuaijing"

Say = Callable[[str], None]


def take_backup(data_dir: Path, out: Path, *, say: Say) -> tuple[Path, Manifest]:
    """Copy a service's folder, check the copy, and give it its name only then.

    Args:
        data_dir: The service's folder; it may be running.
        out: The backup to make; or a folder that is there, in which it gets a name of its own.
        say: Told how far it is, and what could not be had.

    Returns:
        The backup and its manifest.

    Raises:
        DataMissing: There is no log in it; it may be on a Redis server.
        BackupFailed: The log is damaged, or the disk refuses. Nothing is left behind.
    """
    if not (data_dir / LOG_NAME).is_file():
        raise DataMissing(why_no_log(data_dir))
    with _draft_beside(out) as draft:
        # Before the log: whoever is in it is of an incident that is in the copied log.
        _copy_callers(data_dir, draft, say)
        try:
            copy_log(data_dir / LOG_NAME, draft / LOG_NAME, told=_progress(say))
        except sqlite3.Error as error:
            raise BackupFailed(f"the log of {data_dir} could not be copied: {error}") from error
        (draft / LOG_NAME).chmod(0o600)
        for name in BESIDE_THE_LOG:
            if name != CALLERS_FILE and (data_dir / name).is_file():
                shutil.copyfile(data_dir / name, draft / name)
                (draft / name).chmod(0o600)
        city = _city_of(data_dir, say)
        say("checking the copy")
        found = verify(draft, city=city, say=say)
        if not found.whole:
            first = found.faults[0]
            place = "" if found.first_bad_seq is None else f" from event {found.first_bad_seq} on"
            raise BackupFailed(
                f"the log is damaged{place} ({first.text}): no backup was made; see `kuaijing"
                f" verify --data {data_dir}`, keep the folder as it is, restore an older backup"
            )
        manifest = _manifest(draft, found, city, _signed(data_dir, found, say))
        (draft / MANIFEST_FILE).write_bytes(manifest_bytes(manifest))
        target = _named(out, manifest)
        _give_name(draft, target)
    return target, manifest


def _copy_callers(data_dir: Path, draft: Path, say: Say) -> None:
    """Copies the sealed callers as of one moment; without them a backup is still one."""
    if not (data_dir / CALLERS_FILE).is_file():
        return
    try:
        copy_log(data_dir / CALLERS_FILE, draft / CALLERS_FILE, told=lambda _done, _total: None)
        (draft / CALLERS_FILE).chmod(0o600)
    except sqlite3.Error as error:
        (draft / CALLERS_FILE).unlink(missing_ok=True)
        say(f"the callers of {data_dir} could not be copied and are not in the backup: {error}")


@contextmanager
def _draft_beside(out: Path) -> Iterator[Path]:
    """A folder on the disk of the backup to be; gone when it got no name."""
    home = out if out.is_dir() else out.parent
    try:
        draft = Path(tempfile.mkdtemp(prefix=".unfinished-backup-", dir=home))
    except OSError as error:
        raise BackupFailed(f"--out {out} cannot be written: {error.strerror}") from error
    try:
        yield draft
    except OSError as error:
        raise BackupFailed(f"--out {out} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _named(out: Path, manifest: Manifest) -> Path:
    if not out.is_dir():
        return out
    moment = manifest.created_at[:19].replace("-", "").replace(":", "")
    return out / f"kuaijing-{moment}Z-{manifest.seq}"


def _give_name(draft: Path, target: Path) -> None:
    for path in draft.iterdir():
        sync(path)
    sync(draft)
    if target.exists():
        raise BackupFailed(f"{target} is there already: give another --out")
    draft.rename(target)
    sync(target.parent)


def _manifest(draft: Path, found: Verified, city: City | None, head: SignedHead | None) -> Manifest:
    names = [LOG_NAME, *(name for name in BESIDE_THE_LOG if (draft / name).exists())]
    return Manifest(
        format=MANIFEST_FORMAT,
        version=_version(),
        created_at=rfc3339(now_ms()),
        seq=found.events,
        chain=found.chain,
        board_sha256=found.board_sha256,
        city=None if city is None else city.name,
        units_sha256=None if city is None else units_sha256(city),
        road_version=found.road_version,
        head=None if head is None else head.as_json(),
        files={name: described(draft / name) for name in names},
    )


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "not installed"


def _signed(data_dir: Path, found: Verified, say: Say) -> SignedHead | None:
    """The head of the copy, signed with the service's key and written to its heads too."""
    try:
        key = HeadKey.read(data_dir / KEY_NAME)
        chain = bytes.fromhex(found.chain)
        head = sign_head(key, found.events, chain, at_ms=now_ms(), why="backup")
        append_head(load_settings(data_dir).heads_dir(data_dir), head)
    except (OSError, ValueError, SettingsInvalid) as error:
        say(f"the head could not be signed: {error}")
        return None
    return head


def _city_of(data_dir: Path, say: Say) -> City | None:
    """The city that the service last ran with; None where it cannot be had as it was."""
    try:
        record = read_served_city(data_dir)
        if record is None:
            say("which city the service ran with is not written down: no digest of the board")
            return None
        city = load_city(shipped_city() if record.folder is None else Path(record.folder))
    except (SettingsInvalid, CityError, OSError) as error:
        say(f"the service's city cannot be read, no digest of the board: {error}")
        return None
    if units_sha256(city) != record.units_sha256:
        say("the city's units have changed since the service started: no digest of the board")
        return None
    return city


def _progress(say: Say) -> Callable[[int, int], None]:
    told = -1

    def progress(done: int, total: int) -> None:
        nonlocal told
        tenth = done * 10 // max(total, 1)
        if tenth != told:
            told = tenth
            say(f"{done} of {total} pages copied")

    return progress
