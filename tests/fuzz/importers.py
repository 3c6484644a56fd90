"""Throws damaged files at the importers: `python importers.py TARGET FOLDER SECONDS SEED`.

FOLDER holds sound files to begin with. Whatever the bytes, an importer takes them or says with an
error of its own why not: another exception, a crash, 5 s on one file or more than 1 GB of memory
ends the program with an exit code other than 0, and the input is kept in FOLDER as `crash-...`.

atheris guides the mutations by the code that they reach; where it has no wheel, chance alone does.
"""

# Imported only after atheris has put its probes in place.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

HANG_S = 5
MEMORY_MB = 1024
MAX_BYTES = 4096
ROOT = Path(__file__).resolve().parents[2]

Check = Callable[[bytes], None]


def osm_check(ending: str) -> Check:
    """Imports bytes as an OSM file of this ending."""
    from routing.errors import RoadError
    from routing.osm.importer import import_network

    path = _scratch() / f"fuzz{ending}"

    def check(content: bytes) -> None:
        path.write_bytes(content)
        with suppress(RoadError):
            import_network(path, allow_pieces=True)

    return check


def city_check() -> Check:
    """Loads a city in which one file is replaced; the first byte says which."""
    from platforms.city_files import CITY_FILES, load_city, save_city
    from platforms.errors import CityError
    from tests.small_city import small_city

    folder = _scratch() / "city"
    save_city(small_city(), folder)
    sound = {name: (folder / name).read_bytes() for name in CITY_FILES if (folder / name).exists()}
    names = sorted(sound)

    def check(content: bytes) -> None:
        name = names[content[0] % len(names)] if content else names[0]
        (folder / name).write_bytes(content[1:])
        try:
            load_city(folder)
        except CityError:
            pass
        finally:
            (folder / name).write_bytes(sound[name])

    return check


def area_check() -> Check:
    """Reads bytes as the outline of an area."""
    from routing.errors import RoadError
    from routing.osm.area import area_of_file

    path = _scratch() / "area.geojson"

    def check(content: bytes) -> None:
        path.write_bytes(content)
        with suppress(RoadError):
            area_of_file(path)

    return check


def network_check() -> Check:
    """Reads bytes as a compiled network."""
    from routing.errors import RoadError
    from routing.network_file import load_network

    path = _scratch() / "fuzz.net"

    def check(content: bytes) -> None:
        path.write_bytes(content)
        with suppress(RoadError):
            load_network(path)

    return check


TARGETS: dict[str, Callable[[], Check]] = {
    "xml": lambda: osm_check(".osm"),
    "gzip": lambda: osm_check(".osm.gz"),
    "pbf": lambda: osm_check(".osm.pbf"),
    "city": city_check,
    "area": area_check,
    "network": network_check,
}


def _scratch() -> Path:
    shm = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="kuaijing-fuzz-", dir=shm if shm.is_dir() else None))


def guided(target: str, folder: Path, seconds: int, runs: int, seed: int) -> None:
    """atheris; it ends the process itself."""
    import atheris

    with atheris.instrument_imports(include=["routing.osm", "platforms", "routing.network_file"]):
        check = TARGETS[target]()
    options = (
        f"-max_total_time={seconds}",
        f"-runs={runs}",
        f"-timeout={HANG_S}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={MAX_BYTES}",
        f"-artifact_prefix={folder}/",
        f"-seed={seed}",
        "-verbosity=0",
        "-print_final_stats=1",
    )
    atheris.Setup([sys.argv[0], *options, str(folder)], check)
    atheris.Fuzz()


def by_chance(target: str, folder: Path, seconds: int, runs_max: int, seed: int) -> None:
    """Flips, cuts, doubles and mixes bytes of the sound files."""
    check, chance = TARGETS[target](), random.Random(seed or None)
    seeds = [path.read_bytes() for path in sorted(folder.iterdir())]
    until_s, runs = time.monotonic() + seconds, 0
    while time.monotonic() < until_s and runs != runs_max:
        content = _mutated(bytearray(chance.choice(seeds)), chance)[:MAX_BYTES]
        kept = folder / "crash-last"
        kept.write_bytes(content)
        # Nobody handles it: a hang ends the process, and the input is kept.
        signal.alarm(HANG_S)
        check(bytes(content))
        signal.alarm(0)
        runs += 1
        used_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if used_mb > MEMORY_MB:
            sys.exit(f"{used_mb} MB of memory after {runs} runs")
    kept.unlink()
    sys.stderr.write(f"stat::number_of_executed_units: {runs}\n")


def _mutated(content: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(content) + 1)
        match chance.randrange(5):
            case 0:
                content[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del content[at : at + chance.randrange(1, 64)]
            case 2:
                content[at:at] = content[at : at + chance.randrange(1, 256)]
            case 3:
                content[at : at + 1] = chance.choice((b"", b"-", b"1e999", b"\x00", b"\xff", b"<"))
            case _:
                del content[at:]
    return content


def main(words: list[str]) -> None:
    """Runs one target."""
    target, folder = words[0], Path(words[1])
    # At most so many seconds and so many runs; -1 is as many as there is time for.
    seconds, runs, seed = (int(word) for word in words[2:])
    sys.path.insert(0, str(ROOT))
    engine = by_chance if os.environ.get("FUZZ_BY_CHANCE") or not find_spec("atheris") else guided
    engine(target, folder, seconds, runs, seed)


if __name__ == "__main__":
    main(sys.argv[1:])
