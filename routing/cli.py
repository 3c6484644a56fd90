"""`kuaijing roads import|download|info|export`.

Nothing heavy is imported at the top: the help of the whole tree must come in 0.2 s.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from routing.errors import AreaInvalid, NetworkMissing, RoadError

if TYPE_CHECKING:
    from routing.graph import RoadGraph
    from routing.network_file import Manifest
    from routing.osm.area import Area
    from routing.osm.download import Servers

DONE, FAILED, USAGE, DATA_MISSING = 0, 1, 2, 4
"""Exit codes."""
_LAST_HOUR = 23
_DEFAULT_HOUR = 12
"""Midday: neither rush hour nor night."""


def register(subparsers: Any) -> None:
    """Adds `roads` and its commands to the tree of an `argparse` parser."""
    roads = subparsers.add_parser(
        "roads", help="import, download, inspect and export road networks"
    )
    commands = roads.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _register_import(commands)
    _register_download(commands)
    _register_info(commands)
    _register_export(commands)


def _register_import(commands: Any) -> None:
    parser = commands.add_parser("import", help="compile an .osm.pbf, .osm or .osm.gz file")
    parser.add_argument("source", type=Path, metavar="FILE", help="the OSM file")
    parser.add_argument(
        "--synthetic", action="store_true", help="mark the network as invented, not surveyed"
    )
    _add_result_options(parser)
    parser.set_defaults(run=_guarded(_import))


def _register_download(commands: Any) -> None:
    parser = commands.add_parser("download", help="fetch the roads of an area from Overpass")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("place", nargs="?", help='a place by name, such as "邵阳市, 湖南省"')
    what.add_argument(
        "--bbox",
        nargs=4,
        type=float,
        metavar=("WEST", "SOUTH", "EAST", "NORTH"),
        help="WGS-84 degrees",
    )
    what.add_argument("--polygon", type=Path, metavar="FILE", help="an outline in GeoJSON")
    parser.add_argument(
        "--overpass-url", metavar="URL", help="another Overpass API, without /interpreter"
    )
    parser.add_argument("--nominatim-url", metavar="URL", help="another Nominatim, for place names")
    parser.add_argument("--timeout-s", type=_positive, help="limit for one request")
    parser.add_argument(
        "--keep-source", type=Path, metavar="FILE", help="keep what was fetched, as .osm.pbf"
    )
    _add_result_options(parser)
    parser.set_defaults(run=_guarded(_download))


def _register_info(commands: Any) -> None:
    parser = commands.add_parser("info", help="check a compiled network and say what it is")
    parser.add_argument("network", type=Path, metavar="NET", help="the compiled network")
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    parser.set_defaults(run=_guarded(_info))


def _register_export(commands: Any) -> None:
    parser = commands.add_parser("export", help="write arcs and turns for analysis")
    parser.add_argument("network", type=Path, metavar="NET", help="the compiled network")
    parser.add_argument("--arcs", type=Path, metavar="FILE.csv", help="one line per directed arc")
    parser.add_argument("--turns", type=Path, metavar="FILE.csv", help="one line per turn")
    parser.add_argument("--graphml", type=Path, metavar="FILE", help="for networkx or Gephi")
    parser.add_argument(
        "--hour",
        type=int,
        choices=range(_LAST_HOUR + 1),
        default=_DEFAULT_HOUR,
        metavar="H",
        help=f"hour of the day for the driving times, 0-{_LAST_HOUR} (default {_DEFAULT_HOUR})",
    )
    parser.set_defaults(run=_guarded(_export))


def _add_result_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="NET", help="file to write")
    parser.add_argument(
        "--allow-pieces", action="store_true", help="take a network that falls into pieces"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON on stdout")
    parser.add_argument(
        "--memory-mb", type=_positive, help="memory that the reader may take (default by the size)"
    )
    parser.add_argument(
        "--cpu-s", type=_positive, help="processor time that it may take (default by the size)"
    )


def _positive(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _guarded(handler: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Turns this floor's errors into a message on stderr and an exit code."""

    def run(args: argparse.Namespace) -> int:
        try:
            return handler(args)
        except NetworkMissing as error:
            return _told(error, DATA_MISSING)
        except AreaInvalid as error:
            return _told(error, USAGE)
        except (RoadError, OSError) as error:
            return _told(error, FAILED)

    return run


def _told(error: Exception, exit_code: int) -> int:
    _say(f"kuaijing: {error}")
    return exit_code


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _import(args: argparse.Namespace) -> int:
    _check_folder(args.out)
    return _compile(args, args.source, synthetic=args.synthetic)


def _compile(args: argparse.Namespace, source: Path, *, synthetic: bool) -> int:
    from routing.osm.limited_import import import_limited, usual_bounds  # noqa: PLC0415

    memory_bytes = None if args.memory_mb is None else args.memory_mb * 2**20
    manifest = import_limited(
        source,
        args.out,
        usual_bounds(source, memory_bytes=memory_bytes, cpu_s=args.cpu_s),
        allow_pieces=args.allow_pieces,
        synthetic=synthetic,
        say=_say,
    )
    _say(f"wrote {args.out}")
    _show(manifest, as_json=args.json)
    return DONE


def _check_folder(path: Path) -> None:
    """Says before a long job, not after it, that its result has nowhere to go."""
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"the folder of {path} does not exist; make it first")


def _download(args: argparse.Namespace) -> int:
    import tempfile  # noqa: PLC0415

    from routing.osm.download import Servers, download_source  # noqa: PLC0415

    given = {
        "overpass_url": args.overpass_url,
        "nominatim_url": args.nominatim_url,
        "timeout_s": args.timeout_s,
    }
    servers = Servers(**{name: value for name, value in given.items() if value is not None})
    _check_folder(args.out)
    if args.keep_source is not None:
        _check_folder(args.keep_source)
    area = _area(args, servers)
    with tempfile.TemporaryDirectory() as folder:
        source = args.keep_source or Path(folder) / "overpass.osm.pbf"
        download_source(area, source, servers, progress=_say)
        return _compile(args, source, synthetic=False)


def _area(args: argparse.Namespace, servers: Servers) -> Area:
    from routing.osm.area import area_of_box, area_of_file  # noqa: PLC0415
    from routing.osm.download import find_place  # noqa: PLC0415

    if args.bbox is not None:
        return area_of_box(*args.bbox)
    if args.polygon is not None:
        return area_of_file(args.polygon)
    _say(f"asking {servers.nominatim_url} for {args.place}")
    return find_place(args.place, servers)


def _info(args: argparse.Namespace) -> int:
    from routing.network_file import load_network  # noqa: PLC0415

    _, manifest = load_network(args.network)
    _show(manifest, as_json=args.json)
    return DONE


def _show(manifest: Manifest, *, as_json: bool) -> None:
    import msgspec  # noqa: PLC0415

    from routing.osm.report_text import manifest_text  # noqa: PLC0415

    if as_json:
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=2).decode()
    else:
        text = manifest_text(manifest)
    sys.stdout.write(f"{text}\n")


def _export(args: argparse.Namespace) -> int:
    from routing.network_file import load_network  # noqa: PLC0415

    targets = [path for path in (args.arcs, args.turns, args.graphml) if path is not None]
    if not targets:
        _say("kuaijing: nothing to write; give --arcs, --turns or --graphml")
        return USAGE
    for path in targets:
        _check_folder(path)
    graph, _ = load_network(args.network)
    _write_exports(args, graph)
    for path in targets:
        _say(f"wrote {path}")
    return DONE


def _write_exports(args: argparse.Namespace, graph: RoadGraph) -> None:
    from routing.export import export_arcs_csv, export_graphml, export_turns_csv  # noqa: PLC0415
    from routing.speeds import Profile, arc_milliseconds, turn_milliseconds  # noqa: PLC0415

    arc_ms = {str(profile): arc_milliseconds(graph, profile, args.hour) for profile in Profile}
    if args.arcs is not None:
        export_arcs_csv(graph, arc_ms, args.arcs)
    if args.turns is not None:
        turn_ms = {str(profile): turn_milliseconds(graph, profile) for profile in Profile}
        export_turns_csv(graph, turn_ms, args.turns)
    if args.graphml is not None:
        export_graphml(graph, arc_ms, args.graphml)
