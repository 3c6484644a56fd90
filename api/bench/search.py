"""k-nearest, library beside library: interleaved rounds, the same questions, answers compared.

In each round ten incidents are drawn; everybody who takes part answers the ten, in rotated order.
So each library works with its own data in the processor's caches, as it would alone.
Answers must be equal to the millisecond and unit by unit; one that is not makes the run fail.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass, field

from api.bench.contest import Answer
from api.bench.field import REFERENCE, TOLD, Entry, Field, Say, Trial, timed
from api.bench.samples import Samples
from api.bench.scenario import PointDraw, Posture, Scenario
from routing.search.arrays import CLOSED_MS
from routing.stands import Stand

K_ASKED = (1, 5, 10)
BLOCK = 10
"""Incidents of one round."""


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
        rounds: Incidents asked about.
        interrupted: True when Ctrl-C ended the rounds early.
    """

    posture: Posture
    k: int
    units: int
    scores: dict[str, Score]
    trials: list[Trial]
    rounds: int = 0
    interrupted: bool = False

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
        rounds: How many incidents, ten to a round.
        say: Tells the progress.

    Returns:
        What was measured; marked when Ctrl-C came between.
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
        for number in range(-(-rounds // BLOCK)):
            targets = [draw.place().stands for _ in range(min(BLOCK, rounds - number * BLOCK))]
            _round(result, contestants, entries, targets, number)
            result.rounds += len(targets)
    except KeyboardInterrupt:
        result.interrupted = True
        say(f"stopped after {result.rounds} of {rounds} incidents")
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
    targets: Sequence[Sequence[Stand]],
    number: int,
) -> None:
    asked = [entry for entry in entries if number % entry.every == 0]
    told_ms = _times_of_last(result, contestants, asked, targets)
    turn = number % len(asked)
    answers: dict[str, list[tuple[Answer, int]]] = {}
    for entry in (*asked[turn:], *asked[:turn]):
        block = answers[entry.contestant.name] = []
        for target, last_ms in zip(targets, told_ms, strict=True):
            if entry.family == TOLD and contestants.told is not None:
                contestants.told.told_ms = last_ms
            block.append(timed(entry.contestant, target, result.k))
    kernel = answers[entries[0].contestant.name]
    truth = next(answers[e.contestant.name] for e in asked if e.family == REFERENCE)
    for name, block in answers.items():
        score = result.scores[name]
        for ours, right, (answer, elapsed_ns) in zip(kernel, truth, block, strict=True):
            score.taken.add_ns(elapsed_ns)
            score.kernel.add_ns(ours[1])
            score.mismatches += answer != right[0]


def _times_of_last(
    result: SearchResult,
    contestants: Field,
    asked: Sequence[Entry],
    targets: Sequence[Sequence[Stand]],
) -> list[int]:
    """The k-th unit's time for each incident, for the variant that is told; not timed."""
    if contestants.told is None or all(entry.family != TOLD for entry in asked):
        return [CLOSED_MS] * len(targets)
    reference = next(entry.contestant for entry in asked if entry.family == REFERENCE)
    answers = [reference.nearest(target, result.k) for target in targets]
    return [answer[-1][0] if len(answer) == result.k else CLOSED_MS for answer in answers]
