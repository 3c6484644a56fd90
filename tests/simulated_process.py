"""A process of a simulation: has a memory, a clock and timers; is stopped, killed, started anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dispatch.board import Board
from dispatch.words import UnixMs
from tests.simulated_log_server import LogServer
from tests.simulated_network import Network
from tests.toy_town import T0

SERVER = "server"


class Process:
    """What happens to a worker, whatever it does.

    Attributes:
        role: `dead`, `following`, `taking` (it holds the lead and still reads the log), `leading`.
        durable: The board that readers see.
        left: The durable boards of its former lives, as they were last.
        clock_off_ms: How far its clock is off; timers do not go by it.
    """

    def __init__(self, name: str, network: Network, server: LogServer, board: Board) -> None:
        self.name = name
        self.role = "dead"
        self.durable = self._first_board = board
        self.left: list[Board] = []
        self.clock_off_ms = 0
        self._network, self._server = network, server
        self._life = 0
        self._paused_until_ms = 0

    def start(self) -> None:
        """Begins with nothing but what the log says."""
        if self.role != "dead":
            return
        self._life += 1
        self._network.note(self.name, "starts")
        self.role, self._token = "following", f"{self.name} {self._life}"
        self.durable = self._first_board
        self._begin()

    def _begin(self) -> None:
        raise NotImplementedError

    def kill(self, restart_after_ms: int) -> None:
        if self.role == "dead":
            return
        self._network.note(self.name, "is gone as", self.role, "at", self.durable.seq)
        self.left.append(self.durable)
        self._life += 1
        self.role = "dead"
        self._paused_until_ms = 0
        self._network.at(restart_after_ms, self.start)

    def pause(self, for_ms: int) -> None:
        self._paused_until_ms = self._network.now_ms + for_ms

    def _now_ms(self) -> UnixMs:
        return UnixMs(T0 + self._network.now_ms + self.clock_off_ms)

    def _do(self, life: int, do: Callable[..., None], *args: Any) -> None:
        """Does it unless the process has ended since; later while it is stopped."""
        if life != self._life or self.role == "dead":
            return
        stopped_ms = self._paused_until_ms - self._network.now_ms
        if stopped_ms > 0:
            self._network.at(stopped_ms, self._do, life, do, *args)
        else:
            do(*args)

    def _later(self, after_ms: int, do: Callable[..., None], *args: Any) -> None:
        self._network.at(after_ms, self._do, self._life, do, *args)

    def _every(self, pause_ms: int, do: Callable[[], None]) -> None:
        def again() -> None:
            do()
            self._later(pause_ms, again)

        self._later(pause_ms, again)

    def _call(self, what: str, *args: Any, then: Callable[[Any], None]) -> None:
        hear = partial(self._network.send, SERVER, self.name, self._do, self._life, then)
        self._network.send(self.name, SERVER, self._serve, what, args, hear)

    def _serve(self, what: str, args: tuple[Any, ...], hear: Callable[[Any], None]) -> None:
        told = getattr(self._server, what)(*args)
        if what == "read" and not told:
            self._server.parked.append(partial(self._serve, what, args, hear))
        else:
            hear(told)
