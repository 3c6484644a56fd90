"""Areas named in requests."""

from __future__ import annotations

from api.errors import InvalidRequest
from platforms.city import City


def check_area(city: City, area_id: str) -> None:
    """Makes sure that the city has such an area.

    Raises:
        InvalidRequest: It has none; the message says which there are.
    """
    known = sorted(area.area_id for area in city.areas)
    if area_id not in known:
        raise InvalidRequest(
            f"the city has no area {area_id!r}; it has {', '.join(known)}",
            errors=[{"loc": ["body", "area_id"], "msg": "unknown area", "type": "unknown"}],
        )
