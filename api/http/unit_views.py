"""Units as they are now: the board's status with the last position."""

from __future__ import annotations

from api.http.views.plain import rfc3339
from api.http.views.units import LoanView, PositionView, UnitStatusView, UnitView, position_view
from api.service import Service
from dispatch.facts import Loan
from dispatch.resources import UnitOnBoard
from dispatch.whereabouts.positions import Fix, Link, Positions
from dispatch.words import UnitStatus, UnixMs


def unit_view(
    service: Service, unit: UnitOnBoard, at_ms: UnixMs, *, shape: type[UnitView] = UnitView
) -> UnitView:
    """A unit as the API shows it."""
    positions = service.runner.positions
    return shape(
        id=unit.unit_id,
        call_sign=unit.call_sign,
        kind=unit.kind,
        platform_id=unit.platform_id,
        area_id=unit.area_id,
        status=shown_status(unit, positions, at_ms),
        on_duty=unit.on_duty,
        position=fix_view(positions, positions.last.get(unit.unit_id), at_ms),
        assignment_id=unit.assignment_id,
        beat_id=None,
        version=unit.version,
        loan=None if unit.loan is None else _loan_view(unit.loan),
    )


def unit_status_view(service: Service, unit: UnitOnBoard, at_ms: UnixMs) -> UnitStatusView:
    """A unit as the answer to its status command."""
    view = unit_view(service, unit, at_ms, shape=UnitStatusView)
    assert isinstance(view, UnitStatusView)  # noqa: S101  # the shape asked for
    return view


def _loan_view(loan: Loan) -> LoanView:
    return LoanView(
        home_area_id=loan.home_area_id,
        since=rfc3339(loan.since_ms),
        until=None if loan.until_ms is None else rfc3339(loan.until_ms),
        reason=loan.reason,
    )


def shown_status(unit: UnitOnBoard, positions: Positions, at_ms: UnixMs) -> UnitStatus:
    """The unit's status; `offline` where its position was lost while it is free.

    A unit that is bound shows what it is bound to, and one that never sent a fix is not called
    offline: it may have no device at all.
    """
    was_seen = unit.unit_id in positions.last
    if was_seen and unit.is_free and positions.link(unit.unit_id, at_ms) is Link.LOST:
        return UnitStatus.OFFLINE
    return unit.status


def fix_view(positions: Positions, fix: Fix | None, at_ms: UnixMs) -> PositionView | None:
    """A fix as the API shows it; None where there is none."""
    if fix is None:
        return None
    return position_view(
        fix.lon,
        fix.lat,
        fix.at_ms,
        speed_mps=fix.speed_mps,
        heading_deg=fix.heading_deg,
        accuracy_m=fix.accuracy_m,
        link=positions.link(fix.unit_id, at_ms),
    )
