"""DIR/settings.toml and the KUAIJING_ variables: all that may be set without touching code.

Sections of the file are the dataclasses below; a variable is KUAIJING_<SECTION>_<NAME>, as
KUAIJING_LIMITS_REQUESTS_PER_S, and wins over the file. What is not known is an error, so that a
misspelt setting is never silently without effect.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from math import inf
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from api.errors import SettingsInvalid
from dispatch.alarms import AlarmRules
from dispatch.rules import Rules
from dispatch.store.signed_heads import HEADS_DIR
from dispatch.whereabouts.positions import PositionRules

SETTINGS_FILE = "settings.toml"
ENV_PREFIX = "KUAIJING_"

POSITIVE = frozenset(
    {
        "absolute_s",
        "attempts_per_min",
        "candidates_k",
        "candidates_max",
        "idle_s",
        "live_s",
        "open_incidents_max",
        "open_max",
        "requests_burst",
        "requests_per_s",
        "required_max",
        "snap_max_m",
        "speed_max_mps",
        "stale_s",
        "stream_clients",
        "waiting_max",
    }
)
"""Settings that at 0 would leave a service that runs and serves nobody."""

Section = TypeVar("Section")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of what one client may ask for.

    Attributes:
        requests_per_s: Requests a second of one token, over time.
        requests_burst: Requests of one token at once.
        snap_max_m: Farthest that a place may lie from a road.
        stream_clients: Most open streams and long-polls.
    """

    requests_per_s: float = 200.0
    requests_burst: int = 1_000
    snap_max_m: float = 500.0
    stream_clients: int = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """What is written to stderr.

    Attributes:
        level: `debug`, `info`, `warning` or `error`.
        access: Whether each request gets a line.
        json: JSON lines instead of lines for people.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    access: bool = False
    json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where the log's proof is kept.

    Attributes:
        heads_dir: Folder of the log's signed heads, best on another disk; "" is `heads` in the
            service's folder.
    """

    heads_dir: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUse:
    """How a Redis server is used, with `--store redis://...`.

    Attributes:
        area: Name of the log on the server; each service has its own.
        accept: Settings of the server whose danger is taken: acknowledged commands may be lost.
        password_file: File that holds the server's password; empty without one.
    """

    area: str = "city"
    accept: tuple[str, ...] = ()
    password_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSettings:
    """The sheet of open incidents for paper, kept in the service's folder.

    Attributes:
        every_s: How often it is written; 0 is never.
    """

    every_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerRules:
    """How long it is kept who called, and who read that.

    Attributes:
        kept_days: Days after an incident was received until its caller is forgotten, once it has
            ended (ASSUMPTION: as long as complaints come in); 0 keeps none at all.
        reads_kept_days: Days that it is known who read a caller (ASSUMPTION: three years).
    """

    kept_days: int = 30
    reads_kept_days: int = 1_095


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """Sessions of browsers.

    Attributes:
        absolute_s: Longest life of a session: a shift and its handover.
        idle_s: A session ends when nothing came from it for so long (ASSUMPTION); an open stream
            counts as something.
        open_max: Most sessions at once.
        attempts_per_min: Sign-ins that one address may try in a minute, and at once.
    """

    absolute_s: float = 43_200.0
    idle_s: float = 1_800.0
    open_max: int = 1_000
    attempts_per_min: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a service.

    Attributes:
        rules: How incidents are decided: clocks, time-outs, bands.
        positions: Which fixes are believed, and for how long.
        limits: Bounds of what one client may ask for.
        logging: What is written to stderr.
        store: Where the log's proof is kept.
        redis: How a Redis server is used, where one holds the log.
        alarms: When something is wrong.
        sheet: The sheet of open incidents for paper.
        callers: How long it is kept who called.
        sessions: Sessions of browsers.
    """

    rules: Rules = field(default_factory=Rules)
    positions: PositionRules = field(default_factory=PositionRules)
    limits: Limits = field(default_factory=Limits)
    logging: Logging = field(default_factory=Logging)
    store: StoreSettings = field(default_factory=StoreSettings)
    redis: RedisUse = field(default_factory=RedisUse)
    alarms: AlarmRules = field(default_factory=AlarmRules)
    sheet: SheetSettings = field(default_factory=SheetSettings)
    callers: CallerRules = field(default_factory=CallerRules)
    sessions: SessionRules = field(default_factory=SessionRules)

    def heads_dir(self, data_dir: Path) -> Path:
        """Folder of the signed heads of a service's log."""
        return Path(self.store.heads_dir) if self.store.heads_dir else data_dir / HEADS_DIR


SECTIONS: Mapping[str, type] = {
    "rules": Rules,
    "positions": PositionRules,
    "limits": Limits,
    "logging": Logging,
    "store": StoreSettings,
    "redis": RedisUse,
    "alarms": AlarmRules,
    "sheet": SheetSettings,
    "callers": CallerRules,
    "sessions": SessionRules,
}


def load_settings(data_dir: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Reads the settings of a service's folder; defaults where nothing is set.

    Args:
        data_dir: Folder that may hold a settings.toml.
        environ: Variables; the process's own when left out.

    Raises:
        SettingsInvalid: Something is unknown, of the wrong type, or out of range.
    """
    path = data_dir / SETTINGS_FILE
    document = _read(path)
    for name in document:
        if name not in SECTIONS:
            raise SettingsInvalid(
                f"{path}: there is no section [{name}]; known are {_listed(SECTIONS)}"
            )
    built: dict[str, Any] = {
        name: _section(kind, document.get(name, {}), f"{path} [{name}]")
        for name, kind in SECTIONS.items()
    }
    for variable, section, name, text in _variables(os.environ if environ is None else environ):
        values = document.setdefault(section, {})
        values[name] = _value_of(text)
        # One by one, the file's own before: a fault is told of where it was made.
        built[section] = _section(SECTIONS[section], values, f"{variable}={text}")
    return Settings(**built)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsInvalid(f"{path} is no TOML: {error}") from error


def _variables(environ: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
    found = []
    for variable, text in environ.items():
        if not variable.startswith(ENV_PREFIX):
            continue
        section, _, name = variable.removeprefix(ENV_PREFIX).lower().partition("_")
        if section in SECTIONS:
            found.append((variable, section, name, text))
    return found


def _value_of(text: str) -> Any:
    """A variable's text read as a TOML value; as plain text where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _section(kind: type[Section], values: Any, where: str) -> Section:
    if not isinstance(values, dict):
        raise SettingsInvalid(f"{where}: a section is meant, as [{where}], not {values!r}")
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise SettingsInvalid(f"{where}: there is no {name!r}; known are {_listed(known)}")
    try:
        section = msgspec.convert(values, kind, strict=True, str_keys=True)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise SettingsInvalid(f"{where}: {error}") from error
    for name in values:
        _check_numbers(getattr(section, name), f"{where}: {name}", positive=name in POSITIVE)
    return _with_default_entries(section, kind(), values)


def _check_numbers(value: Any, where: str, *, positive: bool) -> None:
    if isinstance(value, Mapping):
        for key, part in value.items():
            _check_numbers(part, f"{where}.{key}", positive=positive)
    elif isinstance(value, int | float) and not (value > 0 or (value == 0 and not positive)):
        wanted = "above 0" if positive else "of 0 or more"
        raise SettingsInvalid(f"{where} = {value} cannot be: a finite number {wanted} is meant")
    elif value == inf:
        raise SettingsInvalid(f"{where} = inf cannot be: a finite number is meant")


def _with_default_entries(section: Section, default: Section, given: Iterable[str]) -> Section:
    """A table that was set in part keeps its other entries: `timeout_s = {1 = 15}` is no loss."""
    merged = {
        name: {**getattr(default, name), **getattr(section, name)}
        for name in given
        if isinstance(getattr(default, name), Mapping)
    }
    return replace(section, **merged)  # type: ignore[type-var]


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
