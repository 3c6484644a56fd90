"""Who takes part in the comparison: ours, scipy, and the peers that are installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from time import perf_counter_ns
from typing import Protocol

from api.bench.contest import Answer, Contestant
from api.bench.expanded import ExpandedRoads, expand
from api.bench.ours import KERNEL_NAME, TWIN_NAME, OurSearch
from api.bench.peer_scipy import ScipyPeer
from api.bench.samples import Samples
from api.bench.scenario import BenchUnit
from routing.graph import RoadGraph
from routing.roads import Roads
from routing.speeds import Profile, arc_milliseconds, turn_milliseconds
from routing.stands import Stand

Say = Callable[[str], None]

FLEET_PROFILES = (Profile.RESPONSE_CAR, Profile.MOTORCYCLE)
REFERENCE = "scipy"
"""The family whose answers the others are compared with."""

TOLD = "networkx told"
"""The family of the variant that is told how far to search."""

BENCH_HOUR = 14
"""The hour whose speeds are taken: an ordinary afternoon."""

_TRIALS = 3
_TRIAL_PATIENCE_NS = 5_000_000_000
_HOPELESS_TIMES = 100.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A contestant and how often it is asked.

    Attributes:
        contestant: Who answers.
        every: It takes part in every so-many-th round, since slow libraries take minutes.
        family: `kernel`, `twin`, `scipy`, `networkx`, `networkx told`, `rustworkx`.
    """

    contestant: Contestant
    every: int
    family: str


@dataclass(slots=True)
class Trial:
    """What the first few questions told of the variants of one library."""

    family: str
    best: str
    medians_ms: dict[str, float] = field(default_factory=dict)


def expanded_roads(
    graph: RoadGraph, profiles: Sequence[Profile] = FLEET_PROFILES, hour: int = BENCH_HOUR
) -> dict[Profile, ExpandedRoads]:
    """The expanded graph of each profile, without closures."""
    return {
        profile: expand(
            graph, arc_milliseconds(graph, profile, hour), turn_milliseconds(graph, profile)
        )
        for profile in profiles
    }


class Told(Contestant, Protocol):
    """A contestant that is told how far it has to search."""

    told_ms: int


@dataclass(slots=True)
class Field:
    """The contestants, the reference among them, and what the trials told.

    Attributes:
        entries: Who is asked.
        told: The variant of networkx that is told the k-th time beforehand; None without networkx.
        missing: Libraries that are not installed.
        variants: Variants of libraries, not yet tried against each other, by family.
    """

    entries: list[Entry]
    told: Told | None = None
    missing: list[str] = field(default_factory=list)
    variants: dict[str, list[Contestant]] = field(default_factory=dict)

    def choose(
        self, units: Sequence[BenchUnit], targets: Sequence[Sequence[Stand]], k: int
    ) -> tuple[list[Entry], list[Trial]]:
        """Try the variants of each library on a few questions and enter the best of each."""
        entries, trials = list(self.entries), []
        for family, variants in self.variants.items():
            medians_ms: dict[str, float] = {}
            for variant in variants:
                variant.place(units)
                medians_ms[variant.name] = _median_of_trials(variant, targets[:_TRIALS], k)
            best = min(variants, key=lambda variant: medians_ms[variant.name])
            # What is hopeless is tried once: one question can take it a minute.
            hopeless_ms = _HOPELESS_TIMES * medians_ms[best.name]
            self.variants[family] = [v for v in variants if medians_ms[v.name] <= hopeless_ms]
            trials.append(Trial(family, best.name, medians_ms))
            entries.append(Entry(best, _EVERY[family], family))
        if self.told is not None:
            entries.append(Entry(self.told, _EVERY["networkx"], TOLD))
        for entry in entries:
            entry.contestant.place(units)
        return entries, trials


_EVERY = {"networkx": 10, "rustworkx": 20}


def gather(roads: Roads, twin: Roads, say: Say) -> Field:
    """Build the graphs of all libraries that are installed."""
    expanded = expanded_roads(roads.graph)
    found = Field(
        [
            Entry(OurSearch(roads, KERNEL_NAME), 1, "kernel"),
            Entry(OurSearch(twin, TWIN_NAME), 2, "twin"),
            Entry(ScipyPeer(expanded), 1, REFERENCE),
        ]
    )
    _add_networkx(found, expanded, say)
    _add_rustworkx(found, expanded, say)
    return found


def _add_networkx(found: Field, expanded: dict[Profile, ExpandedRoads], say: Say) -> None:
    if find_spec("networkx") is None:
        found.missing.append("networkx")
        return
    from api.bench import peer_networkx  # noqa: PLC0415

    say("building the networkx graphs")
    graphs = peer_networkx.NetworkxGraphs(expanded)
    found.told = peer_networkx.NetworkxTold(graphs)
    found.variants["networkx"] = [
        peer_networkx.NetworkxCutoff(graphs),
        peer_networkx.NetworkxOneToAll(graphs),
        peer_networkx.NetworkxBidirectional(graphs),
    ]


def _add_rustworkx(found: Field, expanded: dict[Profile, ExpandedRoads], say: Say) -> None:
    if find_spec("rustworkx") is None:
        found.missing.append("rustworkx")
        return
    from api.bench import peer_rustworkx  # noqa: PLC0415

    say("building the rustworkx graphs")
    graphs = peer_rustworkx.RustworkxGraphs(expanded)
    found.variants["rustworkx"] = [
        peer_rustworkx.RustworkxVisitor(graphs),
        peer_rustworkx.RustworkxOneToAll(graphs),
    ]


def _median_of_trials(variant: Contestant, targets: Sequence[Sequence[Stand]], k: int) -> float:
    taken = Samples()
    began_ns = perf_counter_ns()
    for target in targets:
        taken.add_ns(timed(variant, target, k)[1])
        if perf_counter_ns() - began_ns > _TRIAL_PATIENCE_NS:
            break
    return taken.p50_ms


def timed(contestant: Contestant, target: Sequence[Stand], k: int) -> tuple[Answer, int]:
    """Ask once; the answer and the nanoseconds."""
    began_ns = perf_counter_ns()
    answer = contestant.nearest(target, k)
    return answer, perf_counter_ns() - began_ns
