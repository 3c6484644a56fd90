"""A whole cluster in one thread without time: a server of the log, workers, callers, and trouble.

`Cluster(seed).run()` plays one seed to its end, heals everything, and holds what was answered
against the log; what does not hold raises `Broken` with the seed and the last that happened.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from random import Random

from dispatch.board import Board, UnitOnBoard
from dispatch.codec import decode_event
from dispatch.decide.violations import contradictions
from dispatch.events import Recorded
from dispatch.evolve import evolve
from dispatch.rules import Rules
from dispatch.words import UnitId, UnitStatus
from platforms.categories import UnitKind
from tests.simulated_callers import Caller
from tests.simulated_log_server import LogServer
from tests.simulated_network import Network
from tests.simulated_process import SERVER
from tests.simulated_worker import Worker
from tests.simulated_writer import Town
from tests.toy_town import ToyRoads

HOUR_MS = 3_600_000
ROUGH_MAX_MS = 180_000
"""Trouble ends after so long at the latest, however much is still to be asked."""

CALM_MAX_MS = 120_000
"""Then everybody has to be answered within so long."""


class Broken(AssertionError):
    """A seed under which something does not hold."""


def synthetic_town() -> Town:
    """Four cars in a town of 16 crossings."""
    stands = {UnitId(f"C{n}"): at for n, at in enumerate([(0, 0), (3, 3), (1, 2), (3, 0)], 1)}
    units = {
        unit_id: UnitOnBoard(
            unit_id=unit_id,
            call_sign=f"{unit_id}号",
            kind=UnitKind.RESPONSE_CAR,
            platform_id="P01",
            area_id="city",
            status=UnitStatus.STANDBY,
            on_duty=True,
        )
        for unit_id in stands
    }
    return Town(Board(units=units), ToyRoads(size=4, stands=stands), Rules())


TOWN = synthetic_town()


class Cluster:
    """One seed's cluster; change a part before `run` to plant a defect."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.chance = Random(seed)
        self.network = Network(self.chance)
        self._server_off_ms = 0
        self.server = LogServer(now_ms=lambda: self.network.now_ms + self._server_off_ms)
        count = self.chance.choice([2, 3, 3])
        self.workers = [
            Worker(f"w{n}", self.network, self.server, TOWN) for n in range(1, count + 1)
        ]
        for worker in self.workers:
            worker.others = {one.name: one for one in self.workers}
        self._to_ask = self.chance.randint(60, 150)
        names = ["desk1", "desk2", "crew1", "crew2"][: self.chance.choice([3, 4])]
        self.callers = [Caller(name, self.network, self.workers, self._may_begin) for name in names]

    def run(self) -> None:
        """Plays the seed.

        Raises:
            Broken: something does not hold.
        """
        try:
            self._play()
            self._check()
        except Exception as error:
            raise Broken(
                f"seed {self._seed}: {type(error).__name__}: {error}\n"
                f"KUAIJING_SEED={self._seed} runs it alone. What happened last, in ms:\n"
                f"{self.network.trace()}"
            ) from error

    def _play(self) -> None:
        for worker in self.workers:
            worker.start()
        for caller in self.callers:
            caller.begin()
        self._trouble()
        while self.network.now_ms < ROUGH_MAX_MS and self._to_ask:
            self.network.step()
        self._heal()
        until_ms = self.network.now_ms + CALM_MAX_MS
        while not self._is_done():
            if self.network.now_ms > until_ms:
                roles = [(one.name, one.role, one.durable.seq) for one in self.workers]
                waiting = [one.waits_for for one in self.callers if one.waits_for]
                raise Broken(f"not at rest: {waiting} wait, log at {self.server.head}, {roles}")
            self.network.step()

    def _may_begin(self) -> bool:
        if self._to_ask:
            self._to_ask -= 1
        return self._to_ask > 0

    def _is_done(self) -> bool:
        head = self.server.head
        return not any(one.waits_for for one in self.callers) and all(
            one.role != "dead" and one.durable.seq == head for one in self.workers
        )

    # --- trouble ------------------------------------------------------------------------------

    def _trouble(self) -> None:
        if not self.network.rough:
            return
        chance = self.chance
        worker = chance.choice(self.workers)
        what = chance.choice(["cut", "cut", "mend", "pause", "kill", "jump", "server jumps"])
        self.network.note("trouble:", what, worker.name)
        if what == "cut":
            other = chance.choice([SERVER, SERVER, *worker.others])
            # One direction or both: an append that gets in and whose answer does not.
            ways = [(worker.name, other), (other, worker.name)]
            self.network.cuts.update(chance.choice([ways, ways[:1], ways[1:]]))
        elif what == "mend":
            self.network.cuts.clear()
        elif what == "pause":
            worker.pause(chance.choice([100, 1_000, 5_000, 12_000]))
        elif what == "kill":
            worker.kill(chance.randint(100, 4_000))
        elif what == "jump":
            worker.clock_off_ms += chance.choice([-1, 1]) * chance.choice([HOUR_MS, 5_000])
        else:
            # A lease ends an hour early; or late, but not so late that nobody leads for an hour.
            self._server_off_ms += chance.choice([HOUR_MS, 2_000, -2_000])
        self.network.at(chance.randint(300, 4_000), self._trouble)

    def _heal(self) -> None:
        self.network.note("all is healed")
        self.network.rough = False
        self.network.cuts.clear()
        self._to_ask = 0
        for worker in self.workers:
            worker.pause(0)

    # --- what has to hold ---------------------------------------------------------------------

    def _check(self) -> None:
        log = [decode_event(seq, body) for seq, body in enumerate(self.server.entries, 1)]
        boards = [TOWN.board]
        for recorded in log:
            boards.append(evolve(boards[-1], recorded))
            wrong = list(contradictions(boards[-1]))
            _hold(not wrong, f"after event {recorded.seq}: {wrong}")
        for worker in self.workers:
            for board in (*worker.left, worker.durable):
                _hold(
                    board.seq < len(boards) and board == boards[board.seq],
                    f"{worker.name} showed another board at {board.seq} than the log gives",
                )
            _hold(worker.durable.seq == len(log), f"{worker.name} is behind")
        self._check_answers(_done_by(log), boards)

    def _check_answers(self, done: dict[str, list[bytes]], boards: list[Board]) -> None:
        for caller in self.callers:
            told: dict[str, bytes] = {}
            for name, answer in caller.heard:
                if answer.kind == "refused":
                    at = answer.seq
                    _hold(
                        at < len(boards) and answer.board == boards[at],
                        f"{name} was refused on a board that never was, at {at}",
                    )
                    continue
                first = told.setdefault(name, answer.body)
                _hold(first == answer.body, f"{name} was told {first!r}, then {answer.body!r}")
            for name, body in told.items():
                stored = [body] if body != b"0 0" else []
                _hold(
                    done.get(name, []) == stored,
                    f"{name} was told {body!r}, the log has {done.get(name, [])}",
                )
        twice = {name: parts for name, parts in done.items() if len(parts) > 1}
        _hold(not twice, f"carried out twice: {twice}")


def _done_by(log: list[Recorded]) -> dict[str, list[bytes]]:
    """The events that each command has in the log, first and last of each time."""
    done: defaultdict[str, list[bytes]] = defaultdict(list)
    for name, group in groupby(log, key=lambda one: one.actor):
        seqs = [one.seq for one in group]
        if name != "system":
            done[name].append(b"%d %d" % (seqs[0], seqs[-1]))
    return done


def _hold(holds: bool, why: str) -> None:
    if not holds:
        raise Broken(why)
