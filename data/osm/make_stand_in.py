"""Writes the synthetic stand-in network: `python data/osm/make_stand_in.py [--out FILE]`.

The same program gives the same bytes. See README.md beside it for what is sourced and what is not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from stand_in.network import SEED, build  # noqa: E402
from stand_in.osm_writer import write_osm  # noqa: E402


def main() -> int:
    """Builds and writes the network; prints its size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "shaoyang-stand-in.osm.pbf")
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    made = build(args.seed)
    write_osm(made.plane, made.rules, args.out)
    print(  # noqa: T201
        f"{args.out}: {len(made.plane.points)} nodes, {len(made.rules.bans)} restrictions,"
        f" {len(made.rules.signals)} signals, {args.out.stat().st_size} bytes"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
