"""The command line `kuaijing`: one tree of commands, each registered by the floor it belongs to.

Nothing heavy is imported here: help must come in 0.2 s. A command's handler imports what it
needs, returns its exit code, and raises errors whose message is fit for people.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from api.bench import cli as bench_cli
from api.commands import (
    backup,
    callers,
    doctor,
    replay,
    restore,
    serve,
    sheet,
    tls,
    token,
    verify,
    warm,
)
from api.errors import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, StartError
from dispatch.errors import DispatchError
from platforms import cli as platforms_cli
from platforms.errors import CityError
from routing import cli as routing_cli
from routing.errors import RoadError

EXIT_INTERRUPTED = 130
DISTRIBUTION = "shaoyang-kuaijing"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    Args:
        argv: Arguments without the program's name; those of the process when left out.
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    if not hasattr(args, "run"):
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    return exit_code_of(lambda: int(args.run(args)))


def exit_code_of(command: Callable[[], int]) -> int:
    """Runs something, and tells what stops it in one line on stderr."""
    try:
        return command()
    except StartError as error:
        return _told(error, error.exit_code)
    except BrokenPipeError:  # an OSError too: whoever read our output has gone, as `head` does
        return EXIT_FAILED
    except (RoadError, CityError, DispatchError, OSError) as error:
        return _told(error, EXIT_FAILED)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """The whole tree of commands."""
    parser = argparse.ArgumentParser(
        prog="kuaijing",
        description="邵阳快警: dispatch on real roads. The fastest unit is sent, the 1-3-5 minute"
        " promise is checked.",
        epilog="Try it: kuaijing serve --demo --data var/demo",
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for module in (
        serve,
        token,
        callers,
        tls,
        routing_cli,
        platforms_cli,
        replay,
        sheet,
        verify,
        backup,
        restore,
        warm,
        doctor,
        bench_cli,
    ):
        module.register(subparsers)
    return parser


class _Version(argparse.Action):
    """Prints the installed version; looked up only when asked for, which keeps the help quick."""

    def __init__(self, option_strings: Sequence[str], dest: str, **more: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **more)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        try:
            sys.stdout.write(f"{parser.prog} {version(DISTRIBUTION)}\n")
        except PackageNotFoundError:
            parser.exit(EXIT_FAILED, f"{parser.prog}: {DISTRIBUTION} is not installed here\n")
        parser.exit(EXIT_DONE)


def _told(error: Exception, exit_code: int) -> int:
    sys.stderr.write(f"kuaijing: {error}\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
