"""A cluster under trouble, seed by seed: nothing acknowledged is lost, doubled or contradicted.

Real are `decide` and `evolve`, the codec, the rows of the history, and the shortest paths of the
toy town. Simulated are the server of the log (a translation of the Lua scripts), the ledger,
commit queue, lease, following and passing on of a worker (in the same steps, without asyncio), the
callers, the network and all clocks. So a seed says that the protocol holds and that the core does
its part; that the shell follows the protocol is shown on real processes by `tests/crash`.

In each seed 2 or 3 workers serve 3 or 4 callers who ask 60 to 150 things. Meanwhile messages are
lost, doubled, overtaken and up to 4 s late, ways are cut in one or both directions, workers are
stopped, killed and started anew, and clocks jump by an hour. Then all is healed, everybody is
answered, and what was told is held against the log.

What a refusal says is held against the log as it was when it was decided, not as it is when it is
heard. So two things are left open, here as in the service: a late copy of a refused command may
still be carried out (refusals are not kept), and a leader that was deposed and has not noticed yet
may refuse on its old board, even what its caller has already read of the new one. Seen in 300
seeds: 11 of 9,407 refusals were older than an answer that the same caller had before.

120 seeds by default, some 0.1 s each on a busy machine; 10,000 with `KUAIJING_LONG=1`;
`KUAIJING_SEED=n` runs that one.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.simulated_cluster import Broken, Cluster

SEEDS = 10_000 if os.environ.get("KUAIJING_LONG") == "1" else 120
CHOSEN = os.environ.get("KUAIJING_SEED")
PART = 40
"""Seeds of one test, so that none comes near the bound of time for a test."""

FOUND_WITHIN = SEEDS
"""Seeds within which each planted defect has to show: one in 24 finds that no epoch is checked,
half of them that no batch is remembered."""


@pytest.mark.parametrize("first", [int(CHOSEN)] if CHOSEN else range(0, SEEDS, PART))
def test_nothing_acknowledged_is_lost_doubled_or_contradicted(first: int) -> None:
    for seed in [first] if CHOSEN else range(first, first + PART):
        Cluster(seed).run()


def test_a_seed_is_the_same_each_time() -> None:
    once, again = Cluster(7), Cluster(7)
    once.run()
    again.run()

    assert once.server.entries == again.server.entries
    assert once.network.trace() == again.network.trace()


def test_the_trouble_is_real() -> None:
    clusters = [Cluster(seed) for seed in range(10)]
    for cluster in clusters:
        cluster.run()

    answers = [answer for one in clusters for caller in one.callers for _, answer in caller.heard]
    assert sum(one.server.epoch for one in clusters) > 20, "the lead hardly ever changes"
    assert sum(answer.kind == "done" for answer in answers) > 300
    assert sum(answer.kind == "refused" for answer in answers) > 50


def no_epoch_is_checked(cluster: Cluster) -> None:
    cluster.server.checks_epoch = False


def no_command_is_looked_up(cluster: Cluster) -> None:
    cluster.server.looks_up_commands = False


def followers_decide(cluster: Cluster) -> None:
    for worker in cluster.workers:
        worker.decides_anyway = True


def answers_come_before_durable(cluster: Cluster) -> None:
    for worker in cluster.workers:
        worker.answers_early = True


def repetitions_have_a_new_key(cluster: Cluster) -> None:
    for caller in cluster.callers:
        caller.keeps_key = False


def refusals_come_before_durable(cluster: Cluster) -> None:
    for worker in cluster.workers:
        worker.refuses_early = True


def no_batch_is_remembered(cluster: Cluster) -> None:
    cluster.server.remembers_batches = False


@pytest.mark.parametrize(
    "plant",
    [
        no_epoch_is_checked,
        no_command_is_looked_up,
        followers_decide,
        answers_come_before_durable,
        repetitions_have_a_new_key,
        refusals_come_before_durable,
        no_batch_is_remembered,
    ],
)
def test_a_planted_defect_is_found(plant: Callable[[Cluster], None]) -> None:
    with pytest.raises(Broken, match=r"KUAIJING_SEED=\d+ runs it alone"):
        run_with(plant)


def run_with(plant: Callable[[Cluster], None]) -> None:
    for seed in range(FOUND_WITHIN):
        cluster = Cluster(seed)
        plant(cluster)
        cluster.run()
