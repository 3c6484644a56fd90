"""`kuaijing city sketch|check`.

Nothing heavy is imported at the top: the help of the whole tree must come in 0.2 s.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from platforms.errors import CityError, CityFileError, CityFolderRefused
from routing.errors import NetworkMissing, RoadError

DONE, FAILED, USAGE, DATA_MISSING = 0, 1, 2, 4
"""Exit codes."""
_NO_COUNTS = frozenset({"city", "synthetic", "warnings"})


def register(subparsers: Any) -> None:
    """Adds `city` and its commands to the tree of an `argparse` parser."""
    city = subparsers.add_parser("city", help="make and check the files of a city's forces")
    commands = city.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _register_sketch(commands)
    _register_check(commands)


def _register_sketch(commands: Any) -> None:
    parser = commands.add_parser("sketch", help="invent platforms and zones on a network")
    _add_network(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the city folder")
    parser.add_argument("--platforms", type=_count, default=33, help="how many (default 33)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another city")
    parser.add_argument("--name", default="示例城市", help="the city's name")
    parser.add_argument(
        "--timezone",
        type=_timezone,
        default="Asia/Shanghai",
        help="IANA name (default %(default)s)",
    )
    parser.add_argument("--force", action="store_true", help="write over a city sketched before")
    parser.add_argument("--json", action="store_true", help="report as JSON")
    parser.set_defaults(run=_guarded(_sketch))


def _register_check(commands: Any) -> None:
    parser = commands.add_parser("check", help="check a city folder, and against a network")
    parser.add_argument("city", type=Path, metavar="DIR", help="the city folder")
    _add_network(parser)
    parser.add_argument("--json", action="store_true", help="report as JSON")
    parser.set_defaults(run=_guarded(_check))


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--network", type=Path, required=True, metavar="FILE", help="the compiled network"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 up")
    return int(text)


def _timezone(text: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415

    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"{text} is not known; write an IANA name as Asia/Shanghai"
        ) from error
    return text


def _guarded(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    def guarded(args: argparse.Namespace) -> int:
        try:
            return run(args)
        except NetworkMissing as error:
            sys.stderr.write(f"kuaijing: {error}\n")
            return DATA_MISSING
        except (CityError, RoadError, OSError) as error:
            sys.stderr.write(f"kuaijing: {error}\n")
            return FAILED

    return guarded


def _sketch(args: argparse.Namespace) -> int:
    from platforms.city_files import save_city  # noqa: PLC0415
    from platforms.limited_check import city_report  # noqa: PLC0415
    from platforms.sketch import sketch_city  # noqa: PLC0415
    from routing.network_file import load_network  # noqa: PLC0415

    _refuse_foreign_city(args.out, force=args.force)
    graph, _ = load_network(args.network)
    sys.stderr.write(f"sketching {args.platforms} platforms on {graph.node_count:,} nodes\n")
    city = sketch_city(graph, args.platforms, args.seed, name=args.name, timezone=args.timezone)
    save_city(city, args.out, replace=args.force)
    _report(city_report(city, ()), as_json=args.json)
    return DONE


def _check(args: argparse.Namespace) -> int:
    if not (args.city / "city.json").is_file():
        sys.stderr.write(
            f"kuaijing: {args.city} holds no city.json; name a city folder or make one:"
            " kuaijing city sketch\n"
        )
        return DATA_MISSING
    from platforms.limited_check import check_limited  # noqa: PLC0415

    def say(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    _report(check_limited(args.city, args.network, say=say), as_json=args.json)
    return DONE


def _refuse_foreign_city(folder: Path, *, force: bool) -> None:
    """Nothing but an earlier sketch is ever written over, and that only when told to."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not force:
        raise CityFolderRefused(
            f"{folder} is not empty; choose another folder, or --force to write over a sketch"
        )
    if not _is_sketch(folder):
        raise CityFolderRefused(
            f"{folder} holds something that `city sketch` did not make; choose another folder"
        )


def _is_sketch(folder: Path) -> bool:
    from platforms.city_sources import read_json  # noqa: PLC0415

    if not folder.is_dir():
        return False
    try:
        head = read_json(folder / "city.json")
    except CityFileError:
        return False
    return isinstance(head, dict) and head.get("sketch") is True


def _report(report: Mapping[str, Any], *, as_json: bool) -> None:
    for warning in report["warnings"]:
        sys.stderr.write(f"warning: {warning}\n")
    if as_json:
        sys.stdout.write(json.dumps(report, ensure_ascii=False) + "\n")
        return
    marked = "synthetic" if report["synthetic"] else "not synthetic"
    counts = {word: value for word, value in report.items() if word not in _NO_COUNTS}
    listed = ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in counts.items())
    sys.stdout.write(f"{report['city']} ({marked}): {listed}\n")
