"""What a folder's log holds, read by opening it as a service would."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dispatch.store import LogEntry, StoredCommand
from dispatch.store.sqlite import SqliteStore
from tests.crash.writer_process import name_of


def found_in(folder: Path) -> tuple[list[LogEntry], dict[str, StoredCommand | None]]:
    """All events of the log, and the commands that its events speak of."""

    async def read() -> tuple[list[LogEntry], dict[str, StoredCommand | None]]:
        store = SqliteStore.open(folder)
        try:
            entries: list[LogEntry] = []
            while page := await store.read(len(entries)):
                entries.extend(page)
            names = {name_of(entry) for entry in entries}
            return entries, {name: await store.command(name) for name in names}
        finally:
            await store.close()

    return asyncio.run(read())
