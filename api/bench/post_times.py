"""What posting incidents took, beside the floor F of the same moment, as rows and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from api.bench.load_client import Reply
from api.bench.report import Budget, Cell
from api.bench.samples import NS_PER_MS, Samples

_P50_TIMES = 1.5
_P99_TIMES = {1: 1.5, 16: 2.5}


@dataclass(slots=True)
class PostTimes:
    """What one number of clients saw.

    Attributes:
        clients: How many posted at the same time.
        post: The durable POST.
        noop: The POST that does nothing.
        sync: The fsync.
        floor: F, the sum of the two, pair by pair.
        decision: The decision, as the service says in its answers.
        less_decision: The durable POST without its own decision, pair by pair.
        unserved: Incidents for which no unit was free.
        service_cpu_ns: Processor time of the service for these requests; 0 where not told.
        noop_cpu_ns: The same of the server that does nothing.
    """

    clients: int
    post: Samples = field(default_factory=Samples)
    noop: Samples = field(default_factory=Samples)
    sync: Samples = field(default_factory=Samples)
    floor: Samples = field(default_factory=Samples)
    decision: Samples = field(default_factory=Samples)
    less_decision: Samples = field(default_factory=Samples)
    unserved: int = 0
    service_cpu_ns: int = 0
    noop_cpu_ns: int = 0


def note_pairs(
    times: PostTimes, post: Sequence[Reply], noop: Sequence[Reply], syncs_ns: Sequence[int]
) -> None:
    """Add what one iteration saw, the calls of both servers paired in their order."""
    for number, (ours, floor) in enumerate(zip(post, noop, strict=True)):
        sync_ns = syncs_ns[number % len(syncs_ns)]
        times.post.add_ns(ours.elapsed_ns)
        times.noop.add_ns(floor.elapsed_ns)
        times.sync.add_ns(sync_ns)
        times.floor.add_ns(floor.elapsed_ns + sync_ns)
        answer = ours.data()
        times.unserved += not answer["assignments"]
        recommendation = answer["recommendation"]
        if recommendation is not None:
            decision_ms = recommendation["decision_s"] * 1000
            times.decision.extend_ms([decision_ms])
            times.less_decision.extend_ms([ours.elapsed_ns / NS_PER_MS - decision_ms])


def time_rows(times: PostTimes) -> list[dict[str, Cell]]:
    """Times as rows of a table, each beside F."""
    named = {
        "durable POST": times.post,
        "F: noop POST + one fsync": times.floor,
        "noop POST": times.noop,
        "one fsync": times.sync,
        "decision_s of the answers": times.decision,
        "durable POST less its decision": times.less_decision,
    }
    return [
        {
            "clients": times.clients,
            "what": what,
            **taken.summary(),
            "p50 / F": round(taken.p50_ms / times.floor.p50_ms, 2),
            "p99 / F": round(taken.p99_ms / times.floor.p99_ms, 2),
        }
        for what, taken in named.items()
        if taken.count
    ]


CPU_NOTE = (
    "All threads, milliseconds per request. It tells the work apart from waiting for the disk and"
    " for a machine that others use too."
)


def cpu_row(times: PostTimes) -> dict[str, Cell]:
    """Processor time of both servers as a row."""
    count = max(times.post.count, 1)
    return {
        "clients": times.clients,
        "service_ms": round(times.service_cpu_ns / count / NS_PER_MS, 3),
        "noop_ms": round(times.noop_cpu_ns / count / NS_PER_MS, 3),
        "incidents without a free unit": times.unserved,
    }


def post_budgets(times: PostTimes) -> list[Budget]:
    """The required ratios to F."""
    if not times.post.count:
        return []
    name = f"durable POST, {times.clients} client" + ("s" if times.clients > 1 else "")
    wait_ms = times.post.p50_ms - times.decision.p50_ms
    factor = _P99_TIMES[times.clients]
    budgets = [
        Budget(f"{name}, p99 / F p99", times.post.p99_ms / times.floor.p99_ms, factor, "times")
    ]
    if times.clients == 1:
        p50 = f"{name}, (p50 - decision p50) / F p50"
        budgets.insert(0, Budget(p50, wait_ms / times.floor.p50_ms, _P50_TIMES, "times"))
    return budgets
