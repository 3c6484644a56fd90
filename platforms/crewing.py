"""The vehicles of a platform: what the city's own descriptions give each one."""

from __future__ import annotations

from platforms.city import Platform, Unit, UnitKind

CREW: tuple[tuple[str, str, UnitKind], ...] = (
    ("CV", "指挥车", UnitKind.COMMAND_VEHICLE),
    ("C1", "车1", UnitKind.RESPONSE_CAR),
    ("C2", "车2", UnitKind.RESPONSE_CAR),
    ("M1", "摩1", UnitKind.MOTORCYCLE),
    ("M2", "摩2", UnitKind.MOTORCYCLE),
    ("M3", "摩3", UnitKind.MOTORCYCLE),
    ("M4", "摩4", UnitKind.MOTORCYCLE),
)
"""End of the unit id, end of the call sign, kind: 1 command vehicle, 2 cars, 4 motorcycles."""


def units_of(platform: Platform) -> tuple[Unit, ...]:
    """The seven units of a platform, all on duty; call signs are invented."""
    return tuple(
        Unit(
            unit_id=f"{platform.platform_id}-{end}",
            call_sign=f"{platform.name}-{word}",
            kind=kind,
            platform_id=platform.platform_id,
            area_id=platform.area_id,
            synthetic=True,
        )
        for end, word, kind in CREW
    )
