"""The network as a map, ways from here to there, and how far one gets."""

from __future__ import annotations

import asyncio
import gzip
from typing import Annotated

from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from api.errors import InvalidRequest, NotFound
from api.http.conditional import unchanged
from api.http.drawing import COORDINATE_DIGITS, route_view
from api.http.operation import GEOJSON, IF_NONE_MATCH, operation
from api.http.permissions import ALL_ROLES, GuardedRoute, allow
from api.http.responding import answer, content_tag
from api.http.schemas.gate import Crs, Point, read_body
from api.http.schemas.roads import RouteRequest
from api.http.views.assignments import StepView
from api.http.views.geojson import Feature, FeatureCollection, polygon_geometry
from api.http.views.plain import LineString
from api.service import Service, service_of
from routing.errors import Unreachable
from routing.speeds import Profile

router = APIRouter(route_class=GuardedRoute, tags=["roads"])

ISOCHRONES_MAX = 10
ISOCHRONE_MAX_S = 3_600
ONE_YEAR_S = 31_536_000


class WayView(Struct):
    """A way by road between two points; closed metres as in `RouteView`."""

    profile: str
    travel_s: float
    distance_m: float
    geometry: LineString
    steps: list[StepView]
    closed_first_m: float
    closed_last_m: float
    road_version: str
    conditions_version: int
    synthetic: bool


@router.get(
    "/v1/roads",
    **operation(
        "getRoads",
        "The network as GeoJSON; its immutable address stands in Content-Location",
        reply=FeatureCollection,
        media=GEOJSON,
        more={304: "Not changed"},
        parameters=[IF_NONE_MATCH],
    ),
)
@allow(ALL_ROLES)
async def get_roads(request: Request) -> Response:
    """The present network."""
    service = service_of(request)
    headers = {
        "content-location": f"/v1/roads/{service.roads.road_version}",
        "cache-control": "no-cache",
    }
    return await _network(request, service, headers)


@router.get(
    "/v1/roads/{road_version}",
    **operation(
        "getRoadVersion",
        "One version of the network; never changes, may be kept for ever",
        reply=FeatureCollection,
        media=GEOJSON,
        problems=[404],
        more={304: "Not changed"},
        parameters=[IF_NONE_MATCH],
    ),
)
@allow(ALL_ROLES)
async def get_road_version(request: Request, road_version: str) -> Response:
    """The network of a version; only the present one is served."""
    service = service_of(request)
    if road_version != service.roads.road_version:
        raise NotFound(
            f"network version {road_version[:64]!r} is not served; the present one is"
            f" {service.roads.road_version}"
        )
    headers = {"cache-control": f"private, max-age={ONE_YEAR_S}, immutable"}
    return await _network(request, service, headers)


@router.post(
    "/v1/routes",
    **operation(
        "findRoute",
        "The fastest way between two points under the present conditions",
        reply=WayView,
        body=RouteRequest,
        example={
            "from": {"lon": 111.46, "lat": 27.24},
            "to": {"lon": 111.47, "lat": 27.25},
            "profile": "response_car",
        },
        writes=True,
    ),
)
@allow(ALL_ROLES)
async def find_route(request: Request) -> Response:
    """Computes a way; changes nothing."""
    service = service_of(request)
    return await service.replies.once(request, lambda: _find_route(request, service))


@router.get(
    "/v1/isochrones",
    **operation(
        "getIsochrones",
        "The areas that can be reached within so many seconds",
        reply=FeatureCollection,
        media=GEOJSON,
    ),
)
@allow(ALL_ROLES)
async def get_isochrones(
    request: Request,
    *,
    lon: Annotated[float, Query(ge=-180, le=180)],
    lat: Annotated[float, Query(ge=-90, le=90)],
    seconds: Annotated[
        str, Query(pattern=r"^\d{1,4}(,\d{1,4})*$", max_length=60, description="As 60,180,300")
    ] = "60,180,300",
    profile: Profile = Profile.RESPONSE_CAR,
    crs: Crs = "wgs84",
) -> Response:
    """Isochrones around a point, smallest last, so that each is drawn over the larger."""
    service = service_of(request)
    limits = sorted({int(part) for part in seconds.split(",")}, reverse=True)
    if len(limits) > ISOCHRONES_MAX or not 1 <= min(limits) <= max(limits) <= ISOCHRONE_MAX_S:
        raise InvalidRequest(
            f"seconds={seconds}: at most {ISOCHRONES_MAX} limits from 1 to {ISOCHRONE_MAX_S} s",
            errors=[{"loc": ["query", "seconds"], "msg": "out of range", "type": "range"}],
        )
    origin = service.locator.snap(Point(lon=lon, lat=lat, crs=crs))
    # Off the event loop: a wide area takes a second, and no incident is to wait for a map.
    shapes = await asyncio.to_thread(service.roads.isochrones, origin, limits, profile)
    features = [
        Feature(
            id=str(limit_s),
            geometry=polygon_geometry(shape),
            properties={"seconds": limit_s, "profile": profile.value},
        )
        for limit_s, shape in zip(limits, shapes, strict=True)
    ]
    collection = FeatureCollection(features=features, synthetic=service.is_synthetic)
    return answer(collection, media=GEOJSON, headers=service.marks)


async def _find_route(request: Request, service: Service) -> Response:
    asked = await read_body(request, RouteRequest)
    origin, target = service.locator.snap(asked.from_), service.locator.snap(asked.to)
    reach = service.roads.travel(origin, target, Profile(asked.profile))
    route = service.roads.route(reach, digits=COORDINATE_DIGITS)
    if route is None:
        raise Unreachable("a closure came between while the way was drawn; ask again")
    ends = service.roads.closed_ends(reach.arcs, reach.start, reach.end, reach.profile)
    drawn = route_view(route, ends)
    view = WayView(
        profile=asked.profile,
        travel_s=reach.travel_ms / 1000,
        distance_m=round(route.length_m, 1),
        geometry=drawn.geometry or LineString([]),
        steps=drawn.steps,
        closed_first_m=drawn.closed_first_m,
        closed_last_m=drawn.closed_last_m,
        road_version=service.roads.road_version,
        conditions_version=service.roads.conditions_version,
        synthetic=service.is_synthetic,
    )
    return answer(view, headers=service.marks)


async def _network(request: Request, service: Service, headers: dict[str, str]) -> Response:
    zipped = await service.network_map.zipped()
    headers |= {**service.marks, "etag": content_tag(zipped), "vary": "Accept-Encoding"}
    if unchanged(request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(zipped, 200, {**headers, "content-encoding": "gzip"}, GEOJSON)
    plain = await asyncio.to_thread(gzip.decompress, zipped)
    return Response(plain, 200, headers, GEOJSON)
