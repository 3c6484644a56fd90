"""`kuaijing warm`: compiles what would otherwise be compiled at the first start."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from api.errors import EXIT_DONE


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "warm",
        help="compile the searches and the network that ships, so that serve starts fast",
        description="Compiles the road searches and the network that ships into the cache, so"
        " that the first start of the service takes seconds less.",
    )
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Compiles both."""
    from api.compiled import open_shipped_network
    from routing.roads import Roads

    def say(text: str) -> None:
        sys.stderr.write(text + "\n")

    began_s = time.perf_counter()
    graph, manifest = open_shipped_network(say=say)
    say("compiling the searches")
    Roads(graph, manifest).warm_up()
    say(f"ready in {time.perf_counter() - began_s:.1f} s")
    return EXIT_DONE
