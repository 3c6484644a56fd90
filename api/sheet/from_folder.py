"""The sheet out of a service's folder, read only: for a service that is down."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

from api.errors import DataMissing
from api.served_city import read_served_city
from api.sheet.contents import OpenIncidentsSheet, SheetMoment, sheet_of
from api.storing import why_no_log
from dispatch.board import Board, open_board
from dispatch.codec import decode_board, decode_event
from dispatch.evolve import evolve
from dispatch.running.recover import with_unit_of, with_units_of
from dispatch.store import READ_LIMIT
from dispatch.store.event_rows import read_events
from dispatch.store.read_only import reading
from dispatch.store.sqlite_log import LOG_NAME, format_of, head_of
from dispatch.words import UnixMs
from platforms.city import City
from platforms.city_files import load_city
from platforms.shipped import shipped_city


def sheet_of_folder(data_dir: Path, city_dir: Path | None) -> OpenIncidentsSheet:
    """Draws up the sheet as of the log's last event.

    Args:
        data_dir: Holds the log; nothing in it is changed.
        city_dir: The city's folder; None is the one that the service last ran with.

    Raises:
        DataMissing: There is no log here, it cannot be read, or the city is not where it was.
        LogDamaged: It cannot be trusted.
        CityError: The city's files are damaged.
    """
    path = data_dir / LOG_NAME
    if not path.is_file():
        raise DataMissing(why_no_log(data_dir))
    city = _city_of(data_dir, city_dir)
    try:
        with reading(path) as connection:
            format_of(connection, path)
            if head_of(connection) == 0:
                raise DataMissing(
                    f"{path} holds no event yet, so nothing is open: take calls in first, or give"
                    " the folder of the service that did"
                )
            board, at_ms = _board_of(connection, city)
    except sqlite3.Error as error:
        raise DataMissing(
            f"{path} cannot be read ({error}): the service's own last sheet may lie beside it, as"
            " open-incidents.html"
        ) from error
    # Whether the network is invented too is not written down beside the log.
    synthetic = ("city",) if city.synthetic else ()
    return sheet_of(with_units_of(board, city), city, SheetMoment(at_ms=at_ms, synthetic=synthetic))


def _city_of(data_dir: Path, given: Path | None) -> City:
    record = read_served_city(data_dir)
    folder = given
    if given is None and record is not None and record.folder is not None:
        folder = Path(record.folder)
    if folder is not None and not folder.is_dir():
        raise DataMissing(f"the city {folder} is not there: give its folder with --city")
    return load_city(folder or shipped_city())


def _board_of(connection: sqlite3.Connection, city: City) -> tuple[Board, UnixMs]:
    """The board after the last event, and when that was recorded."""
    board, at_ms = _snapshot(connection, city), UnixMs(0)
    # The last event again, for its time, where a snapshot holds it already.
    after = min(board.seq, max(0, head_of(connection) - 1))
    while entries := read_events(connection, after, READ_LIMIT):
        for entry in entries:
            recorded = decode_event(entry.seq, entry.body)
            at_ms = recorded.recorded_at_ms
            if entry.seq > board.seq:
                board = evolve(with_unit_of(board, recorded), recorded)
        after = entries[-1].seq
    return board, at_ms


def _snapshot(connection: sqlite3.Connection, city: City) -> Board:
    """The newest snapshot that can be read; the board before the first event without one."""
    today = open_board(city)
    for seq, body in connection.execute("SELECT seq, body FROM snapshots ORDER BY seq DESC"):
        board = decode_board(body)
        if board is not None and board.seq == seq <= head_of(connection):
            return replace(board, units={**today.units, **board.units})
    return today
