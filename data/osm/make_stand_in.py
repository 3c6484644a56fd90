"""Writes the stand-in network and its city: `python data/osm/make_stand_in.py`.

The same program gives the same bytes. See README.md beside it for what is sourced and what is not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT)]

from stand_in.city_data import make_city  # noqa: E402
from stand_in.network import SEED, build  # noqa: E402
from stand_in.osm_writer import write_osm  # noqa: E402

from platforms.city_files import save_city  # noqa: E402
from routing.osm.importer import import_network  # noqa: E402


def main() -> int:
    """Builds and writes the network and the city; prints their size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "shaoyang-stand-in.osm.pbf")
    parser.add_argument("--city", type=Path, default=ROOT / "data" / "shaoyang")
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    made = build(args.seed)
    write_osm(made.plane, made.rules, args.out)
    print(  # noqa: T201
        f"{args.out}: {len(made.plane.points)} nodes, {len(made.rules.bans)} restrictions,"
        f" {len(made.rules.signals)} signals, {args.out.stat().st_size} bytes"
    )
    graph, _ = import_network(args.out)
    city = make_city(made, graph)
    save_city(city, args.city, replace=True)
    print(  # noqa: T201
        f"{args.city}: {len(city.platforms)} platforms, {len(city.units)} units,"
        f" {len(city.key_sites)} key sites, {len(city.places)} places"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
