"""What the service says on stderr: structured lines, without secrets and without callers' numbers.

The last step before a line is written cuts out tokens and telephone numbers, whoever wrote it: us,
uvicorn, or an error's own text. Query strings and bodies are never handed to the log at all.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from api.settings import Logging

_TOKEN = re.compile(r"sy_[a-z]+_[0-9a-f]{8}_[0-9a-f]+")
_PHONE = re.compile(
    r"(?<![\d.])(?:\+?86[- ]?)?(?:1[3-9]\d(?:[- ]?\d{4}){2}|0\d{2,3}-\d{7,8})(?!\d)"
)
"""A mobile of China, or a land line with its area code; times in milliseconds are longer."""


def configure_log(settings: Logging, *, worker: int | None = None) -> None:
    """Sets up structlog and the standard library's log for the whole process.

    Args:
        settings: What is written.
        worker: Number of this worker, which stands in every line; None where there is one process.
    """
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            _numbered(worker),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    who = "" if worker is None else f"worker {worker}: "
    handler.setFormatter(_RedactingFormatter(f"%(levelname)s {who}%(message)s"))
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler])


def _numbered(worker: int | None) -> Any:
    """Puts the worker's number into each line."""

    def numbered(
        _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        if worker is not None:
            event["worker"] = worker
        return event

    return numbered


def redacted(text: str) -> str:
    """The text with tokens and telephone numbers cut out."""
    if "sy_" in text:
        text = _TOKEN.sub("sy_…", text)
    return _PHONE.sub("☎…", text)


def without_secrets(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Cuts secrets out of all that got into a line, however deep."""
    for name, value in event.items():
        if name != "timestamp":
            event[name] = _cleaned(value)
    return event


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(part) for part in value]
    return value if isinstance(value, int | float | None) else redacted(str(value))


class _RedactingFormatter(logging.Formatter):
    """For lines of the standard library's log, their tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line, clean."""
        return redacted(super().format(record))
