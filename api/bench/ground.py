"""What a run stands on: a compiled network, a city on it, and a folder of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api.bench.children import KUAIJING, Ran, run_timed
from api.bench.field import BENCH_HOUR, Say
from api.bench.report import Cell
from api.bench.scenario import PLATFORMS
from api.errors import DataMissing
from platforms.shipped import shipped_city, shipped_network
from routing.network_file import load_network
from routing.roads import Roads

_SOURCE_ENDINGS = (".osm.pbf", ".osm", ".osm.gz")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a run stands on.

    Attributes:
        folder: The run's own folder; what is made lies there.
        network: The compiled network.
        source: The OSM file it was made from; None when it was given compiled.
        imported: How the import went; None when it was given compiled.
        given_city: The city that belongs to the network; None where one has to be sketched.
    """

    folder: Path
    network: Path
    source: Path | None
    imported: Ran | None
    given_city: Path | None

    def open_roads(self) -> Roads:
        """The roads, searches compiled, with the speeds of the benchmark's hour."""
        graph, manifest = load_network(self.network)
        roads = Roads(graph, manifest, hour=BENCH_HOUR)
        roads.warm_up()
        return roads

    def city(self, say: Say) -> Path:
        """The folder of a city with 33 platforms on this network; sketched when needed."""
        if self.given_city is not None:
            return self.given_city
        folder = self.folder / "city"
        if not folder.exists():
            say("sketching a city (synthetic)")
            sketch = ("city", "sketch", "--network", str(self.network))
            wanted = ("--platforms", str(PLATFORMS), "--out", str(folder))
            run_timed((*KUAIJING, *sketch, *wanted), self.folder)
        return folder


def lay_ground(network: Path | None, folder: Path, say: Say) -> Ground:
    """Import an OSM file, or take a compiled network; the stand-in when none is given.

    Raises:
        BenchFailed: The file cannot be imported.
        DataMissing: There is no such file.
    """
    given_city = None
    if network is None:
        network, given_city = shipped_network(), shipped_city()
    network = network.resolve()
    if not network.is_file():
        raise DataMissing(f"--network {network} is not there; give a compiled network or OSM file")
    if not network.name.lower().endswith(_SOURCE_ENDINGS):
        return Ground(folder, network, None, None, given_city)
    say(f"importing {network.name}")
    compiled = folder / "network"
    command = (*KUAIJING, "roads", "import", str(network), "--out", str(compiled))
    imported = run_timed(command, folder)
    return Ground(folder, compiled, network, imported, given_city)


def describe(roads: Roads, source: Path) -> dict[str, Cell]:
    """Name and size of the roads, for the report."""
    synthetic = bool(getattr(roads.manifest, "synthetic", False))
    return {
        "network": source.name,
        "nodes": roads.graph.node_count,
        "arcs": roads.graph.arc_count,
        "turns": len(roads.graph.turn_to),
        "version": roads.road_version,
        "synthetic": "yes" if synthetic else "no",
    }
