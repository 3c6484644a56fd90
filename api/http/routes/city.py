"""The city: platforms, zones, key sites, places by name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.http.cursors import read_cursor, write_cursor
from api.http.operation import GEOJSON, operation
from api.http.pages import LIMIT_DEFAULT, Cursor, Limit, page_by_id
from api.http.permissions import ALL_ROLES, GuardedRoute, allow
from api.http.responding import answer
from api.http.views.geojson import Feature, FeatureCollection, point_geometry, polygon_geometry
from api.http.views.lists import PlaceList, PlaceView, PlatformList, PlatformView
from api.service import Service, service_of
from platforms.city import Place, Platform
from platforms.gazetteer import SEARCH_MAX

router = APIRouter(route_class=GuardedRoute, tags=["city"])


@router.get(
    "/v1/platforms",
    **operation("listPlatforms", "Platforms (快警平台), by id", reply=PlatformList),
)
@allow(ALL_ROLES)
async def list_platforms(
    request: Request, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """With the ids of their units."""
    service = service_of(request)
    items = sorted(service.city.platforms, key=_id_of)
    page, more = page_by_id(items, kind="platforms", id_of=_id_of, limit=limit, cursor=cursor)
    view = PlatformList(
        items=[_platform_view(service, one) for one in page],
        next_cursor=more,
        synthetic="city" in service.synthetic,
    )
    return answer(view, headers=service.marks)


@router.get(
    "/v1/zones",
    **operation("getZones", "Zones with class and target", reply=FeatureCollection, media=GEOJSON),
)
@allow(ALL_ROLES)
async def get_zones(request: Request) -> Response:
    """Where zones overlap the smallest target holds; outside all of them none is promised."""
    service = service_of(request)
    features = [
        Feature(
            id=zone.zone_id,
            geometry=polygon_geometry(zone.polygon),
            properties={
                "name": zone.name,
                "zone_class": zone.zone_class.value,
                "target_s": zone.target_s,
                "synthetic": zone.synthetic,
            },
        )
        for zone in service.city.zones
        if zone.polygon is not None
    ]
    return _collection(service, features)


@router.get(
    "/v1/key-sites",
    **operation("getKeySites", "Key sites (重点部位)", reply=FeatureCollection, media=GEOJSON),
)
@allow(ALL_ROLES)
async def get_key_sites(request: Request) -> Response:
    """Places where police must be seen within the shortest target."""
    service = service_of(request)
    features = [
        Feature(
            id=site.site_id,
            geometry=point_geometry(site.lon, site.lat),
            properties={
                "name": site.name,
                "category": site.category,
                "synthetic": site.synthetic,
            },
        )
        for site in service.city.key_sites
    ]
    return _collection(service, features)


@router.get(
    "/v1/places",
    **operation(
        "searchPlaces",
        "The gazetteer: Chinese, pinyin, initials, crossings; all of it without q",
        reply=PlaceList,
    ),
)
@allow(ALL_ROLES)
async def search_places(
    request: Request,
    q: Annotated[str | None, Query(max_length=100, examples=["西湖桥", "xihuqiao", "xhq"])] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """Best first."""
    service = service_of(request)
    start = 0 if cursor is None else max(0, read_cursor(cursor, "places", int))
    if q is None or not q.strip():
        found = list(service.city.places)
    else:
        found = service.gazetteer.search(q, limit=SEARCH_MAX)
    page = found[start : start + limit]
    end = start + len(page)
    view = PlaceList(
        items=[_place_view(place) for place in page],
        next_cursor=write_cursor("places", end) if end < len(found) else None,
        synthetic="city" in service.synthetic,
    )
    return answer(view, headers=service.marks)


def _collection(service: Service, features: list[Feature]) -> Response:
    collection = FeatureCollection(features=features, synthetic="city" in service.synthetic)
    return answer(collection, media=GEOJSON, headers=service.marks)


def _platform_view(service: Service, platform: Platform) -> PlatformView:
    return PlatformView(
        id=platform.platform_id,
        name=platform.name,
        area_id=platform.area_id,
        grid_id=platform.grid_id,
        location={"lon": platform.lon, "lat": platform.lat, "crs": "wgs84"},
        units=[
            unit.unit_id for unit in service.city.units if unit.platform_id == platform.platform_id
        ],
        synthetic=platform.synthetic,
    )


def _place_view(place: Place) -> PlaceView:
    return PlaceView(
        name=place.name,
        kind=place.kind,
        location={"lon": place.lon, "lat": place.lat, "crs": "wgs84"},
        aliases=list(place.aliases),
        pinyin=place.pinyin,
        initials=place.initials,
    )


def _id_of(platform: Platform) -> str:
    return platform.platform_id
