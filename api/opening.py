"""Puts a service together: settings, tokens, city, roads, dispatcher."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from api.alarm_watch import AlarmWatch
from api.callers.caller_book import CallerBook
from api.clock import now_ms
from api.compiled import Say, open_shipped_network
from api.errors import DataMissing
from api.event_counts import EventCounts
from api.http.degraded import Degraded
from api.http.drawing import RouteArtist
from api.http.idempotency import ReplyKeeper
from api.http.inbox_bell import InboxBell
from api.http.locating import Locator
from api.http.network_map import NetworkMap
from api.http.notices import Notices
from api.http.views.events import feed_body
from api.metrics import Metrics
from api.served_city import keep_served_city
from api.service import Service
from api.sessions import SessionBook
from api.settings import Settings
from api.storing import shared_opener, store_opener
from api.tokens import TokenBook
from api.wanted import Wanted, prepare_folder
from dispatch.questions import Question
from dispatch.replay import units_sha256
from dispatch.runner import Outcome, Runner
from dispatch.running.ground import OpenStore
from platforms.city import City
from platforms.city_check import check_city
from platforms.city_files import load_city
from platforms.errors import CityOffNetwork
from platforms.gazetteer import Gazetteer
from platforms.promise import Promise
from platforms.shipped import shipped_city
from routing.arcs_by_shape import ArcsByShape
from routing.errors import NetworkMissing
from routing.graph import RoadGraph
from routing.network_file import Manifest, load_network
from routing.roads import Roads


async def open_service(wanted: Wanted, *, say: Say) -> Service:
    """Opens everything; whoever calls it closes the service in the end.

    Raises:
        StartError: Settings, store, network or city cannot be used.
        RoadError: The network is damaged, or a platform stands far from any road.
        CityError: The city's files are damaged or do not fit the network.
        StoreError: Another service has the folder, or the log is damaged.
    """
    settings = prepare_folder(wanted)
    graph, manifest = _network(wanted, say)
    city = load_city(_city_folder(wanted))
    promise = Promise(city)
    roads = Roads(graph, manifest, at_ms=now_ms())
    _check(city, promise, roads, wanted, say)
    say("making the road searches ready (the first time takes some 20 s)")
    roads.warm_up()
    service = await assemble(
        wanted.data_dir,
        settings=settings,
        city=city,
        promise=promise,
        roads=roads,
        synthetic_network=manifest.synthetic,
        attribution=manifest.attribution,
        open_store=_store_opener(wanted, settings),
    )
    service.behind_proxy = wanted.behind_proxy
    # Only now is the folder ours: another service on it would have been told to keep its city.
    _note_city(wanted, city, say)
    return service


async def assemble(
    data_dir: Path,
    *,
    settings: Settings,
    city: City,
    roads: Roads,
    synthetic_network: bool,
    attribution: str,
    promise: Promise | None = None,
    open_store: OpenStore | None = None,
) -> Service:
    """Puts a service over a city and roads that are known to fit.

    Args:
        data_dir: The service's folder; it must be there.
        settings: What was set.
        city: Forces and promise.
        roads: The network.
        synthetic_network: Whether the network is invented.
        attribution: What must be shown beside a map of it.
        promise: The city's promise where it is built already.
        open_store: Opens the store; None is SQLite in the folder.

    Raises:
        StoreError: Another service has the folder, or the log is damaged.
        OffNetwork: A platform stands far from any road.
    """
    metrics = Metrics()
    runner = await Runner.open(
        data_dir,
        city=city,
        roads=roads,
        rules=settings.rules,
        now_ms=now_ms,
        render=feed_body,
        position_rules=settings.positions,
        watch=_watch(metrics),
        on_commit=_on_commit(metrics),
        heads_dir=settings.heads_dir(data_dir),
        open_store=open_store,
    )
    notices = Notices(runner)
    await notices.recall()
    gazetteer = Gazetteer(city.places)
    tokens = TokenBook(data_dir)
    parts = (("network", synthetic_network), ("city", city.synthetic))
    return Service(
        data_dir=data_dir,
        settings=settings,
        city=city,
        roads=roads,
        runner=runner,
        locator=Locator(roads, promise or Promise(city), gazetteer, settings.limits.snap_max_m),
        gazetteer=gazetteer,
        shapes=ArcsByShape(roads.graph),
        artist=RouteArtist(roads),
        network_map=NetworkMap(
            roads, data_dir / "cache", synthetic=synthetic_network, attribution=attribution
        ),
        inbox_bell=InboxBell(runner),
        notices=notices,
        tokens=tokens,
        sessions=SessionBook(data_dir, tokens, settings.sessions),
        callers=CallerBook(data_dir, settings.callers, shared_log=runner.following is not None),
        replies=ReplyKeeper(now_ms),
        metrics=metrics,
        event_counts=EventCounts(runner, metrics),
        alarm_watch=AlarmWatch(runner, settings.alarms),
        degraded=Degraded(runner),
        synthetic=tuple(name for name, invented in parts if invented),
    )


def _store_opener(wanted: Wanted, settings: Settings) -> OpenStore | None:
    place = (wanted.store, wanted.data_dir, settings.redis)
    if wanted.peer is None:
        return store_opener(*place)
    return shared_opener(*place, peer=wanted.peer)


def _network(wanted: Wanted, say: Say) -> tuple[RoadGraph, Manifest]:
    if wanted.network is None:
        return open_shipped_network(say=say)
    try:
        return load_network(wanted.network)
    except NetworkMissing as error:
        raise DataMissing(str(error)) from error


def _city_folder(wanted: Wanted) -> Path:
    if wanted.city is None:
        return shipped_city()
    if not wanted.city.is_dir():
        raise DataMissing(
            f"--city {wanted.city} is no folder; make one: kuaijing city sketch --network NET"
            f" --out {wanted.city}"
        )
    return wanted.city


def _check(city: City, promise: Promise, roads: Roads, wanted: Wanted, say: Say) -> None:
    try:
        warnings = check_city(city, roads, promise=promise)
    except CityOffNetwork as error:
        more = len(error.problems) - 1
        also = f" (and {more} more: kuaijing city check names them all)" if more else ""
        given = "" if wanted.city and wanted.network else "; give --city and --network together"
        raise DataMissing(
            f"city and network do not fit: {error.problems[0]}{also}{given}"
        ) from error
    for warning in warnings:
        say(f"city: {warning}")


def _note_city(wanted: Wanted, city: City, say: Say) -> None:
    try:
        before = keep_served_city(wanted.data_dir, city, wanted.city)
    except OSError as error:
        say(f"which city is served could not be written down: {error}")
        return
    if before is not None and before.units_sha256 != units_sha256(city):
        say(f"the units are others than at the last start, which was with {before.told}")


def _watch(metrics: Metrics) -> Callable[[Question, Outcome], None]:
    def watch(_question: Question, outcome: Outcome) -> None:
        metrics.decision_s.observe(outcome.decision_s)

    return watch


def _on_commit(metrics: Metrics) -> Callable[[int, float], None]:
    def on_commit(appends: int, seconds: float) -> None:
        metrics.commit_batch.observe(appends)
        metrics.commit_s.observe(seconds)

    return on_commit
