"""The command line `kuaijing`: one tree of commands, each registered by the floor it belongs to.

Nothing heavy is imported here: help must come in 0.2 s. A command's handler imports what it
needs, returns its exit code, and raises errors whose message is fit for people.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from api.bench import cli as bench_cli
from api.commands import doctor, replay, serve, tls, token, warm
from api.errors import EXIT_FAILED, EXIT_USAGE, StartError
from dispatch.errors import DispatchError
from platforms import cli as platforms_cli
from platforms.errors import CityError
from routing import cli as routing_cli
from routing.errors import RoadError

EXIT_INTERRUPTED = 130


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
    try:
        return int(args.run(args))
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
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for module in (serve, token, tls, routing_cli, platforms_cli, replay, warm, doctor, bench_cli):
        module.register(subparsers)
    return parser


def _told(error: Exception, exit_code: int) -> int:
    sys.stderr.write(f"kuaijing: {error}\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
