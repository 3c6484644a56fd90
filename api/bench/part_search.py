"""The part `search`: libraries side by side, exactness, and closures that take effect."""

from __future__ import annotations

from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from api.bench.exactness import Exactness, check_exactness
from api.bench.field import BENCH_HOUR, FLEET_PROFILES, Say, gather
from api.bench.ours import KERNEL_NAME, OurSearch
from api.bench.report import Budget, Cell, Part, Table
from api.bench.samples import Samples
from api.bench.scenario import PointDraw, Posture, parked, patrolling
from api.bench.search import K_ASKED, SearchResult, compare
from routing.conditions import Closure, Conditions
from routing.roads import Roads
from routing.search.arrays import CLOSED_MS
from routing.speeds import arc_milliseconds

SEED = 20_240_601
EXACT_QUERIES = 1_000
_CLOSED_ARCS = 1_000
_CLOSING_ROUNDS = 50
_BUDGET_K = 5
_P50_LIMIT_MS = 0.5
_P99_LIMIT_MS = 2.0
_NETWORKX_TIMES = 50.0
_CLOSING_LIMIT_MS = 10.0


def drivable(roads: Roads) -> NDArray[np.bool_]:
    """Arcs that every profile of the fleet may drive, bool (A)."""
    times = [arc_milliseconds(roads.graph, profile, BENCH_HOUR) for profile in FLEET_PROFILES]
    return np.asarray(np.logical_and.reduce([ms < CLOSED_MS for ms in times]))


def run_search(roads: Roads, *, units: int, rounds: int, part: Part, say: Say) -> None:
    """Compare the searches; what is found goes into `part` as soon as it is known.

    Args:
        roads: The roads, warmed up, at `BENCH_HOUR`.
        units: How many units.
        rounds: Incidents for each question.
        part: Where the figures go.
        say: Tells the progress.
    """
    draw = PointDraw(roads.graph, drivable(roads), SEED)
    _exactness(roads, units, part, say)
    _closing(roads, draw, units, part, say)
    twin = Roads(roads.graph, roads.manifest, python_twin=True, hour=BENCH_HOUR)
    contestants = gather(roads, twin, say)
    if contestants.missing:
        say(f"left out, not installed: {', '.join(contestants.missing)}")
    rows: list[dict[str, Cell]] = []
    trials: list[dict[str, Cell]] = []
    part.tables.append(Table("The k nearest units", rows, _search_note(contestants.missing)))
    part.tables.append(Table("Variants tried, median of three incidents", trials))
    for scenario in (patrolling(draw, units), parked(draw, units)):
        for k in K_ASKED:
            say(f"search: {k} of {units} {scenario.posture} units, {rounds} rounds")
            result = compare(contestants, scenario, draw, k=k, rounds=rounds, say=say)
            rows += _rows(result)
            trials += _trial_rows(result)
            part.mismatches += result.mismatches
            if result.interrupted:
                raise KeyboardInterrupt
            if k == _BUDGET_K and scenario.posture is Posture.PATROLLING:
                part.budgets += _budgets(result)


def _exactness(roads: Roads, units: int, part: Part, say: Say) -> None:
    found = check_exactness(
        roads, queries=EXACT_QUERIES, units=units, seed=SEED, say=say, kernel_name=KERNEL_NAME
    )
    for example in found.examples:
        say(f"differs: {example}")
    part.mismatches += found.mismatches
    part.tables.append(
        Table(
            "Answers against brute force", [_exact_row(found)],
            "Every unit to everywhere, forward, by scipy on the expanded graph, without any limit;"
            " both profiles, one-ways, banned turns, incidents ahead of and behind a unit on its"
            " own arc, units and incidents on closed roads, slowed roads.",
        )
    )  # fmt: skip
    part.budgets.append(Budget("mismatches with brute force", float(found.mismatches), 0.0, ""))


def _exact_row(found: Exactness) -> dict[str, Cell]:
    return {
        "questions": found.queries,
        **{f"roads {name}": count for name, count in found.by_conditions.items()},
        "on a unit's own arc": found.same_arc,
        "on a closed road": found.on_closed,
        "mismatches": found.mismatches,
    }


def _closing(roads: Roads, draw: PointDraw, units: int, part: Part, say: Say) -> None:
    """Close roads and ask again at once, many times."""
    say(f"closing {_CLOSED_ARCS} arcs, {_CLOSING_ROUNDS} times")
    rng = np.random.default_rng(SEED)
    count = min(_CLOSED_ARCS, roads.graph.arc_count // 2)
    ours = OurSearch(roads, KERNEL_NAME)
    ours.place(patrolling(draw, units).units)
    closing, asking = Samples(), Samples()
    for _ in range(_CLOSING_ROUNDS):
        drawn = rng.choice(roads.graph.arc_count, size=count, replace=False)
        closure = Closure(closure_id="bench", arcs=tuple(int(arc) for arc in drawn))
        target = draw.place().stands
        began_ns = perf_counter_ns()
        roads.set_conditions(Conditions(closures=(closure,)), 0, BENCH_HOUR)
        closed_ns = perf_counter_ns()
        ours.nearest(target, _BUDGET_K)
        closing.add_ns(closed_ns - began_ns)
        asking.add_ns(perf_counter_ns() - began_ns)
    roads.set_conditions(Conditions(), 0, BENCH_HOUR)
    part.tables.append(
        Table(
            f"Closing {count} arcs",
            [
                {"what": "new conditions in force", **closing.summary()},
                {"what": "and the next answer (k = 5)", **asking.summary()},
            ],
        )
    )
    limit = Budget(
        f"closing {count} arcs and the next answer, p99", asking.p99_ms, _CLOSING_LIMIT_MS, "ms"
    )
    part.budgets.append(limit)


def _search_note(missing: list[str]) -> str:
    left_out = f" Left out, not installed: {', '.join(missing)}." if missing else ""
    return (
        "Interleaved rounds of ten incidents, the same for all; slow libraries take part in every"
        " 10th or 20th round. `times kernel` compares medians on the incidents that both answered."
        " All answers are compared, unit by unit and to the millisecond. Ours makes the routes too,"
        f" the others do not.{left_out}"
    )


def _rows(result: SearchResult) -> list[dict[str, Cell]]:
    return [
        {
            "units": str(result.posture),
            "k": result.k,
            "by": score.name,
            **score.taken.summary(),
            "times kernel": round(score.times_kernel, 1),
            "mismatches": score.mismatches,
        }
        for score in result.scores.values()
    ]


def _trial_rows(result: SearchResult) -> list[dict[str, Cell]]:
    return [
        {
            "units": str(result.posture),
            "k": result.k,
            "variant": name,
            "p50_ms": round(median_ms, 2),
            "taken": "yes" if name == trial.best else "",
        }
        for trial in result.trials
        for name, median_ms in trial.medians_ms.items()
    ]


def _budgets(result: SearchResult) -> list[Budget]:
    what = f"{result.k} nearest of {result.units} {result.posture} units"
    budgets = []
    kernel, networkx = result.of_family("kernel"), result.of_family("networkx")
    if kernel is not None:
        budgets += [
            Budget(f"{what}, p50", kernel.taken.p50_ms, _P50_LIMIT_MS, "ms"),
            Budget(f"{what}, p99", kernel.taken.p99_ms, _P99_LIMIT_MS, "ms"),
        ]
    if networkx is not None:
        budgets.append(
            Budget(
                f"{what}, networkx's best variant against ours", networkx.times_kernel,
                _NETWORKX_TIMES, "times", at_least=True,
            )
        )  # fmt: skip
    return budgets
