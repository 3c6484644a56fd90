"""k-nearest, library beside library: interleaved rounds, the same questions, answers compared.

In each round one incident is drawn and everybody who takes part answers it, in rotated order.
Answers must be equal to the millisecond and unit by unit; one that is not makes the run fail.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass, field

from api.bench.contest import Answer
from api.bench.field import Entry, Field, Say, Trial, timed
from api.bench.samples import Samples
from api.bench.scenario import PointDraw, Posture, Scenario
from routing.search.arrays import CLOSED_MS
from routing.stands import Stand

K_ASKED = (1, 5, 10)


@dataclass(slots=True)
class Score:
    """What one contestant needed for one question.

    Attributes:
        name: The library and its variant.
        family: See `api.bench.field.Entry`.
        taken: Its times.
        kernel: Our kernel's times for the same incidents, for a fair ratio.
        mismatches: Incidents that it answered otherwise than the reference.
    """

    name: str
    family: str
    taken: Samples = field(default_factory=Samples)
    kernel: Samples = field(default_factory=Samples)
    mismatches: int = 0

    @property
    def times_kernel(self) -> float:
        """How many times our kernel's median it needs, on the same incidents."""
        return self.taken.p50_ms / self.kernel.p50_ms


@dataclass(slots=True)
class SearchResult:
    """All contestants on one question: so many nearest of units in one posture.

    Attributes:
        posture: Where the units are.
        k: How many were asked for.
        units: How many units there are.
        scores: One for each contestant.
        trials: How the variants of a library did, and which was taken.
        rounds: Rounds done.
    """

    posture: Posture
    k: int
    units: int
    scores: dict[str, Score]
    trials: list[Trial]
    rounds: int = 0

    @property
    def mismatches(self) -> int:
        """Answers that differ, over all contestants."""
        return sum(score.mismatches for score in self.scores.values())

    def of_family(self, family: str) -> Score | None:
        """The score of a family; None when it did not take part."""
        found = [score for score in self.scores.values() if score.family == family]
        return found[0] if found else None


def compare(
    contestants: Field, scenario: Scenario, draw: PointDraw, *, k: int, rounds: int, say: Say
) -> SearchResult:
    """Ask every contestant for the k nearest units, round after round.

    Args:
        contestants: Who takes part.
        scenario: The units.
        draw: Where incidents come from.
        k: How many units to find.
        rounds: How many incidents.
        say: Tells the progress.
    """
    warm = [draw.place().stands for _ in range(3)]
    entries, trials = contestants.choose(scenario.units, warm, k)
    _warm_up(entries, warm, k)
    result = SearchResult(
        scenario.posture,
        k,
        len(scenario.units),
        {e.contestant.name: Score(e.contestant.name, e.family) for e in entries},
        trials,
    )
    # The peers' graphs are millions of objects; the collector must not bill them to us or them.
    gc.collect()
    gc.freeze()
    try:
        for number in range(rounds):
            _round(result, contestants, entries, draw.place().stands, number)
            result.rounds += 1
    except KeyboardInterrupt:
        say(f"stopped after {result.rounds} of {rounds} rounds")
        raise
    finally:
        gc.unfreeze()
    return result


def _warm_up(entries: Sequence[Entry], targets: Sequence[Sequence[Stand]], k: int) -> None:
    for entry in entries:
        if entry.every == 1:
            for target in targets:
                entry.contestant.nearest(target, k)


def _round(
    result: SearchResult,
    contestants: Field,
    entries: Sequence[Entry],
    target: Sequence[Stand],
    number: int,
) -> None:
    asked = [entry for entry in entries if number % entry.every == 0]
    if contestants.told is not None:
        reference = next(entry for entry in entries if entry.family == "scipy")
        answer = reference.contestant.nearest(target, result.k) if number % 10 == 0 else []
        contestants.told.told_ms = answer[-1][0] if len(answer) == result.k else CLOSED_MS
    turn = number % len(asked)
    answers: dict[str, tuple[Answer, int]] = {}
    for entry in (*asked[turn:], *asked[:turn]):
        answers[entry.contestant.name] = timed(entry.contestant, target, result.k)
    kernel_ns = answers[entries[0].contestant.name][1]
    truth = next(answers[e.contestant.name][0] for e in asked if e.family == "scipy")
    for name, (answer, elapsed_ns) in answers.items():
        score = result.scores[name]
        score.taken.add_ns(elapsed_ns)
        score.kernel.add_ns(kernel_ns)
        score.mismatches += answer != truth
