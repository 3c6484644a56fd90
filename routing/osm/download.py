"""Fetches the roads of an area from an Overpass server, as a source file for the importer.

osmnx cuts the area into requests and speaks to the servers; the raw elements are kept through a
hook on its answers, for its own graph drops turn restrictions, signals and barriers.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from routing.errors import DownloadFailed
from routing.osm.area import Area, checked_area
from routing.osm.overpass_source import write_elements
from routing.osm.source import Progress

OVERPASS_URL = "https://overpass-api.de/api"
NOMINATIM_URL = "https://nominatim.openstreetmap.org"
REQUEST_TIMEOUT_S = 180
"""Overpass's own default limit for a query."""
PATIENCE_S = 1800.0
"""All requests of one download together."""
MAX_ANSWER_BYTES = 2**30
"""Bound of one answer, unpacked."""
PIECE_BYTES = 2**16

_ROADS = (
    (
        '["highway"]["highway"!~"^(steps|corridor|elevator|platform|construction|proposed)$"]'
        '["area"!~"^yes$"]'
    ),
    '["route"="ferry"]',
)
_RESTRICTIONS = {"type": "restriction"}
_BUSY = frozenset({429, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where to ask, and how long to wait.

    Attributes:
        overpass_url: Base of the Overpass API, without `/interpreter`.
        nominatim_url: Base of the Nominatim API, for place names.
        timeout_s: Limit for one request.
    """

    overpass_url: str = OVERPASS_URL
    nominatim_url: str = NOMINATIM_URL
    timeout_s: int = REQUEST_TIMEOUT_S


@dataclass(slots=True)
class _Answers:
    """What the servers said; hangs on every answer that osmnx gets."""

    deadline_s: float
    elements: list[Any] = field(default_factory=list)
    data_date: str | None = None

    def keep(self, response: Any, *_: object, **__: object) -> None:
        """Keeps the elements of an answer, or says why it has none.

        osmnx itself would sleep and ask a busy server again without end.
        """
        host = response.url.split("?")[0]
        if response.status_code in _BUSY:
            raise DownloadFailed(
                f"{host} is busy (HTTP {response.status_code}); try later, a smaller area, or"
                " another server with --overpass-url"
            )
        if not response.ok:
            raise DownloadFailed(f"{host} answered HTTP {response.status_code} {response.reason}")
        self._take_in(host, response)
        if response.url.split("?")[0].endswith("/interpreter"):
            self._keep_elements(host, response)

    def _take_in(self, host: str, response: Any) -> None:
        """Reads the body, which `requests` does only after its hooks, and counts it.

        A server need not say how long its answer is, and a packed one is longer than it says.
        """
        content = bytearray()
        for piece in response.iter_content(PIECE_BYTES):
            content += piece
            if len(content) > MAX_ANSWER_BYTES:
                response.close()
                raise DownloadFailed(
                    f"{host} sends more than {MAX_ANSWER_BYTES:,} bytes; ask for less"
                )
            if time.monotonic() > self.deadline_s:
                response.close()
                raise DownloadFailed(
                    f"the download took longer than {PATIENCE_S:.0f} s; ask for less"
                )
        # Where `requests` keeps a body that was read; it offers no other way to give it one.
        response._content = bytes(content)

    def _keep_elements(self, host: str, response: Any) -> None:
        try:
            answer = response.json()
        except ValueError as error:
            start = response.text[:80]
            raise DownloadFailed(f"{host} answered no JSON but {start!r}") from error
        if not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
            raise DownloadFailed(f"{host} answered JSON without elements; is it an Overpass API?")
        if "remark" in answer:
            # An Overpass that runs out of time or memory answers 200, half the data and this.
            raise DownloadFailed(f"{host} gave up: {answer['remark']}")
        self.elements.extend(answer["elements"])
        about = answer.get("osm3s")
        if isinstance(about, dict):
            self.data_date = str(about.get("timestamp_osm_base", "")) or None


def find_place(query: str, servers: Servers) -> Area:
    """The outline of a place by its name, from Nominatim.

    Args:
        query: What a person would type: "邵阳市, 湖南省".
        servers: Where to ask.

    Returns:
        Its outline, WGS-84 degrees.

    Raises:
        DownloadFailed: No server, no such place, or a place without an outline.
        AreaInvalid: The place is too large.
    """
    import osmnx  # noqa: PLC0415  # 0.7 s and 108 MB that only downloads pay

    with _asking(servers):
        try:
            places = osmnx.geocode_to_gdf(query)
        except TypeError as error:
            raise DownloadFailed(
                f"{query!r} is a point without an outline; give --bbox or --polygon"
            ) from error
        except ValueError as error:
            raise DownloadFailed(f"no place is found for {query!r} ({error})") from error
    return checked_area(places.geometry.iloc[0])


def download_source(area: Area, target: Path, servers: Servers, *, progress: Progress) -> None:
    """Writes the roads and turn restrictions of an area as an OSM file.

    Args:
        area: What to fetch, WGS-84 degrees.
        target: The file to write, .osm.pbf, .osm.gz or .osm; whole or not at all.
        servers: Where to ask.
        progress: Told what is being done.

    Raises:
        DownloadFailed: The server did not answer, or not with roads.
    """
    import osmnx  # noqa: PLC0415

    with _asking(servers) as answers:
        progress(f"asking {servers.overpass_url} for roads")
        _until_kept(
            lambda: osmnx.graph_from_polygon(area, custom_filter=list(_ROADS), retain_all=True)
        )
        progress(f"asking {servers.overpass_url} for turn restrictions")
        _until_kept(lambda: osmnx.features_from_polygon(area, tags=dict(_RESTRICTIONS)))
    progress(f"writing {len(answers.elements):,} elements")
    write_elements(answers.elements, target, data_date=answers.data_date)


def _until_kept(ask: Callable[[], object]) -> None:
    """Osmnx raises this when it has the raw data and was told to build nothing of it."""
    try:
        ask()
    except InterruptedError:
        return
    raise DownloadFailed("osmnx built a graph although it was told to fetch only")


@contextmanager
def _asking(servers: Servers) -> Iterator[_Answers]:
    """Sets osmnx up for one download and turns network troubles into `DownloadFailed`."""
    import osmnx  # noqa: PLC0415
    import requests  # noqa: PLC0415

    answers = _Answers(time.monotonic() + PATIENCE_S)
    wanted = {
        "overpass_url": servers.overpass_url,
        "nominatim_url": servers.nominatim_url,
        "overpass_rate_limit": servers.overpass_url == OVERPASS_URL,
        "requests_timeout": servers.timeout_s,
        "requests_kwargs": {"hooks": {"response": answers.keep}},
        "cache_only_mode": True,
        "use_cache": False,
        # Names are resolved as everywhere on this machine, never over a third party's server.
        "doh_url_template": None,
    }
    before = {name: getattr(osmnx.settings, name) for name in wanted}
    resolver = socket.getaddrinfo  # osmnx pins the server's address and leaves it so
    try:
        _set(osmnx.settings, wanted)
        yield answers
    except requests.exceptions.Timeout as error:
        raise DownloadFailed(
            f"no answer within {servers.timeout_s} s; ask for a smaller area or another server"
        ) from error
    except requests.exceptions.RequestException as error:
        raise DownloadFailed(f"the server cannot be reached or broke off: {error}") from error
    finally:
        _set(osmnx.settings, before)
        socket.getaddrinfo = resolver


def _set(settings: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
