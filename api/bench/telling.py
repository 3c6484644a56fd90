"""How a run is told: as it goes on, at its end, and when it is stopped or fails in the middle."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from api.bench.errors import BenchFailed
from api.bench.field import Say
from api.bench.report import Report
from api.errors import EXIT_DONE, EXIT_FAILED, EXIT_FIGURE_MISSED


def say_since(began_s: float) -> Say:
    """Tells people on stderr what goes on, with the seconds since the beginning."""

    def say(text: str) -> None:
        sys.stderr.write(f"[{perf_counter() - began_s:6.1f} s] {text}\n")
        sys.stderr.flush()

    return say


@contextmanager
def noting_the_end(report: Report, say: Say) -> Iterator[None]:
    """What was measured stays in the report when the rest is stopped by Ctrl-C or fails."""
    try:
        yield
    except KeyboardInterrupt:
        report.interrupted = True
        say("stopped; what was measured so far follows")
    except BenchFailed as error:
        # The page of the docs gets no log of this machine: that goes to stderr.
        report.failures.append(str(error).partition("\n")[0])
        say(f"failed: {error}")


def tell(report: Report, *, name: str, out: Path | None, as_json: bool) -> int:
    """Print the report, keep it as `name`.json and .md where asked, and return the exit code."""
    data = json.dumps(report.as_data(), ensure_ascii=False, indent=2) + "\n"
    text = report.as_markdown() + "\n"
    sys.stdout.write(data if as_json else text)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.json").write_text(data, encoding="utf-8")
        (out / f"{name}.md").write_text(text, encoding="utf-8")
    return exit_code(report)


def exit_code(report: Report) -> int:
    """0 all as required, 1 answers differ or a part failed, 3 a required figure missed."""
    if report.mismatches or report.failures:
        return EXIT_FAILED
    return EXIT_FIGURE_MISSED if report.missed else EXIT_DONE
