"""A service's folder: rights, room, lock, log, proof."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from api.checkup.finding import Finding, guarded
from api.clock import now_ms, rfc3339
from api.settings import Settings, load_settings
from api.tokens import TOKEN_FILE, read_records
from dispatch.codec import decode_event
from dispatch.store.folder_lock import holder_of
from dispatch.store.head_mark import read_mark
from dispatch.store.read_only import reading
from dispatch.store.signed_heads import KEY_NAME, HeadKey
from dispatch.store.sqlite_log import FREE_LEFT_BYTES, LOG_NAME, WAL_ROOM_BYTES, format_of, head_of

MIB = 2**20
CLOCK_SLACK_MS = 2_000


def look_at_folder(data_dir: Path) -> Iterator[Finding]:
    """All findings about a service's folder."""
    if not data_dir.is_dir():
        yield Finding("folder", False, f"{data_dir} is not there; serve makes it")
        return
    yield from guarded("folder", lambda: _folder(data_dir))
    yield from guarded("room", lambda: _room(data_dir))
    yield from guarded("lock", lambda: _lock(data_dir))
    yield from guarded("log", lambda: _log(data_dir))
    yield from guarded("wal", lambda: _wal(data_dir))
    yield from guarded("secrets", lambda: _secrets(data_dir))
    yield from guarded("heads", lambda: _heads(data_dir, load_settings(data_dir)))


def _folder(data_dir: Path) -> Finding:
    load_settings(data_dir)
    holding = [one for one in read_records(data_dir).values() if one.revoked_at_ms is None]
    text = f"{data_dir}, {len(holding)} tokens"
    writable = os.access(data_dir, os.W_OK)
    return Finding("folder", writable, text if writable else f"{text}, not writable")


def _room(data_dir: Path) -> Finding:
    free = shutil.disk_usage(data_dir).free
    log = data_dir / LOG_NAME
    used = log.stat().st_size if log.exists() else 0
    text = f"{free // MIB} MiB free beside a log of {used // MIB} MiB"
    least = WAL_ROOM_BYTES + FREE_LEFT_BYTES
    if free < least:
        return Finding("room", False, f"{text}; make room, {least // MIB} MiB at the least")
    if free < 2 * used:
        return Finding("room", None, f"{text}: not enough for two backups on this disk")
    return Finding("room", True, text)


def _lock(data_dir: Path) -> Finding:
    holder = holder_of(data_dir)
    return Finding(
        "lock", True, "no service runs on it" if holder is None else f"process {holder} serves it"
    )


def _log(data_dir: Path) -> Finding:
    path = data_dir / LOG_NAME
    if not path.exists():
        return Finding("log", True, "none yet; the first start makes it")
    marked = read_mark(data_dir)
    with reading(path) as connection:
        log_format, head = format_of(connection, path), head_of(connection)
        row = connection.execute("SELECT body FROM events WHERE seq = ?", (head,)).fetchone()
    if marked is not None and marked > head:
        return Finding(
            "log", False, f"it ends at event {head} and {marked} were recorded: restore a backup"
        )
    if row is None:
        return Finding("log", True, f"format {log_format}, empty")
    last_ms = decode_event(head, row[0]).recorded_at_ms
    text = f"format {log_format}, {head} events, the last at {rfc3339(last_ms)}"
    if last_ms > now_ms() + CLOCK_SLACK_MS:
        return Finding("log", False, f"{text}, which is still to come: the machine's clock is slow")
    return Finding("log", True, f"{text}; `kuaijing verify` reads all of it")


def _wal(data_dir: Path) -> Finding:
    """How the log is written, and how much room that takes beside the file."""
    path = data_dir / LOG_NAME
    if not path.exists():
        return Finding("wal", True, "none yet")
    with reading(path) as connection:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    wal = path.with_name(f"{path.name}-wal")
    takes = wal.stat().st_size if wal.exists() else 0
    text = f"journal mode {mode}, the write-ahead log takes {takes // MIB} MiB"
    if mode != "wal":
        return Finding("wal", False, f"{text}: the log is not as the service makes it")
    if takes > WAL_ROOM_BYTES:
        room = f"more than the {WAL_ROOM_BYTES // MIB} MiB made for it"
        return Finding("wal", None, f"{text}, {room}: a reader kept it from being folded")
    return Finding("wal", True, text)


def _secrets(data_dir: Path) -> Finding:
    # A token's hash may be read by others, but whoever adds one comes in.
    forbidden = {KEY_NAME: stat.S_IRWXG | stat.S_IRWXO, TOKEN_FILE: stat.S_IWGRP | stat.S_IWOTH}
    if data_dir.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH):
        # Others get into the folder: then the log itself must be closed to them.
        forbidden |= {LOG_NAME: stat.S_IRWXG | stat.S_IRWXO}
    wide = [
        name
        for name, bits in forbidden.items()
        if (data_dir / name).exists() and (data_dir / name).stat().st_mode & bits
    ]
    if wide:
        return Finding(
            "secrets", False, f"others may get at {', '.join(wide)}: chmod 700 {data_dir}"
        )
    return Finding("secrets", True, "open to their owner alone")


def _heads(data_dir: Path, settings: Settings) -> Finding:
    folder = settings.heads_dir(data_dir)
    key = data_dir / KEY_NAME
    if key.exists():
        HeadKey.read(key)
    if not folder.exists():
        text = f"{folder} is not there; the service makes it with the first signed head"
        return Finding("heads", None if key.exists() else True, text)
    if not os.access(folder, os.W_OK):
        return Finding("heads", False, f"{folder} is not writable")
    if folder.stat().st_dev == data_dir.stat().st_dev:
        text = f"{folder} lies on the log's own disk; set [store] heads_dir to another"
        return Finding("heads", None, text)
    return Finding("heads", True, f"{folder}, on another disk than the log")
