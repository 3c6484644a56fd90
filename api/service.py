"""The service as its routes see it: one object with everything they need."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from api.alarm_watch import AlarmWatch
from api.callers.caller_book import CallerBook
from api.event_counts import EventCounts
from api.http.degraded import Degraded
from api.http.drawing import RouteArtist
from api.http.idempotency import ReplyKeeper
from api.http.inbox_bell import InboxBell
from api.http.locating import Locator
from api.http.network_map import NetworkMap
from api.http.notices import Notices
from api.http.peers import Peers
from api.metrics import Metrics
from api.sessions import SessionBook
from api.settings import Settings
from api.tokens import TokenBook
from dispatch.runner import Runner
from platforms.city import City
from platforms.gazetteer import Gazetteer
from routing.arcs_by_shape import ArcsByShape
from routing.roads import Roads


@dataclass(slots=True, kw_only=True)
class Service:
    """All parts of a running service.

    Attributes:
        data_dir: Folder of the log, the tokens and the settings.
        settings: What was set.
        city: Forces and promise.
        roads: The network and its conditions.
        runner: The dispatcher at work.
        locator: The gate for points and places.
        gazetteer: Places by name.
        shapes: Arcs by line and area.
        artist: Ways drawn.
        network_map: The network as GeoJSON.
        inbox_bell: Wakes vehicles' long-polls.
        notices: What crews have to be told.
        tokens: Who may come in.
        sessions: Browsers that are signed in.
        callers: Who called, sealed apart from the log.
        replies: Answers of calls that change nothing durable, by their idempotency key.
        metrics: Counters.
        event_counts: Brings the counters of what happened up to date.
        alarm_watch: What is wrong that must never be so.
        degraded: Why answers may not last or not be all there is.
        synthetic: What is invented: `network`, `city`, both or none.
        behind_proxy: Whether the word of a proxy counts for a client's scheme and address.
        peers: How other workers are asked; None where one process serves alone.
        stream_clients: Open streams and long-polls.
        stopping: Set when the service is told to stop; streams and long-polls end then.
    """

    data_dir: Path
    settings: Settings
    city: City
    roads: Roads
    runner: Runner
    locator: Locator
    gazetteer: Gazetteer
    shapes: ArcsByShape
    artist: RouteArtist
    network_map: NetworkMap
    inbox_bell: InboxBell
    notices: Notices
    tokens: TokenBook
    sessions: SessionBook
    callers: CallerBook
    replies: ReplyKeeper
    metrics: Metrics
    event_counts: EventCounts
    alarm_watch: AlarmWatch
    degraded: Degraded
    synthetic: tuple[str, ...]
    behind_proxy: bool = False
    peers: Peers | None = None
    stream_clients: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def close(self) -> None:
        """Finishes what is under way and lets go of the folder."""
        try:
            # First: while this worker holds the lead, no other one decides.
            await self.runner.close()
        finally:
            await self.callers.close()

    @property
    def is_synthetic(self) -> bool:
        """True where network or city is invented: every answer made from them says so."""
        return bool(self.synthetic)

    @property
    def marks(self) -> dict[str, str]:
        """Header that names what is invented; empty where nothing is."""
        if not self.synthetic:
            return {}
        return {"x-kuaijing-synthetic": ", ".join(self.synthetic)}


def service_of(request: Request) -> Service:
    """The service that this request came to."""
    service = request.app.state.service
    assert isinstance(service, Service)  # noqa: S101  # set before the first request is served
    return service
