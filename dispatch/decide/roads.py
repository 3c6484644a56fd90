"""Roads are shut, opened, slowed; and what follows for units on their way."""

from __future__ import annotations

from dispatch.decide.context import Decision
from dispatch.decide.draft import Draft, check_version
from dispatch.decide.recheck import ROADS_CHANGED, recheck
from dispatch.decide.send import serve_queue
from dispatch.errors import BadPeriod, ClosureUnknown, QueueFull, SpeedFactorUnknown
from dispatch.events import RoadClosed, RoadReopened, SpeedFactorLifted, SpeedFactorSet
from dispatch.questions import (
    CloseRoad,
    LiftSpeedFactor,
    RecheckRoutes,
    ReopenRoad,
    SetSpeedFactor,
)
from dispatch.resources import Closure, SpeedFactor
from dispatch.words import UnixMs


def close_road(draft: Draft, question: CloseRoad) -> Decision:
    """Records the closure; it takes effect when the shell has set it on the roads.

    Raises:
        BadPeriod: It would be over before it begins.
        QueueFull: Too many closures are held.
    """
    limit = draft.context.rules.closures_max
    if len(draft.board.closures) >= limit:
        raise QueueFull(what="closures", limit=limit, mend="lift some")
    closure = Closure(
        closure_id=draft.next_closure_id(),
        arcs=question.arcs,
        way_ids=question.way_ids,
        geometry=question.geometry,
        is_area=question.is_area,
        holes=question.holes,
        stretches=question.stretches,
        direction=question.direction,
        from_ms=_begins_ms(draft, question),
        until_ms=question.until_ms,
        daily=question.daily,
        emergency_exempt=question.emergency_exempt,
        reason=question.reason,
        road_version=draft.context.roads.road_state.road_version,
    )
    draft.record(RoadClosed(at_ms=draft.now_ms, closure=closure))
    return draft.finish(closure=closure)


def reopen_road(draft: Draft, question: ReopenRoad) -> Decision:
    """Lifts a closure.

    Raises:
        ClosureUnknown: There is none of this id.
        VersionStale: It is not at `if_version`.
    """
    closure = draft.board.closures.get(question.closure_id)
    if closure is None:
        raise ClosureUnknown(question.closure_id)
    check_version(question.closure_id, closure, question.if_version)
    draft.record(RoadReopened(at_ms=draft.now_ms, closure_id=question.closure_id))
    return draft.finish(closure=closure)


def set_speed_factor(draft: Draft, question: SetSpeedFactor) -> Decision:
    """Records the factor; it takes effect when the shell has set it on the roads.

    Raises:
        BadPeriod: It would be over before it begins.
        QueueFull: Too many speed factors are held.
    """
    limit = draft.context.rules.speed_factors_max
    if len(draft.board.speed_factors) >= limit:
        raise QueueFull(what="speed factors", limit=limit, mend="lift some")
    factor = SpeedFactor(
        factor_id=draft.next_factor_id(),
        factor=question.factor,
        road_class=question.road_class,
        area_id=question.area_id,
        arcs=question.arcs,
        stretches=question.stretches,
        from_ms=_begins_ms(draft, question),
        until_ms=question.until_ms,
        reason=question.reason,
        road_version=draft.context.roads.road_state.road_version,
    )
    draft.record(SpeedFactorSet(at_ms=draft.now_ms, speed_factor=factor))
    return draft.finish(speed_factor=factor)


def lift_speed_factor(draft: Draft, question: LiftSpeedFactor) -> Decision:
    """Lifts a speed factor.

    Raises:
        SpeedFactorUnknown: There is none of this id.
        VersionStale: It is not at `if_version`.
    """
    factor = draft.board.speed_factors.get(question.factor_id)
    if factor is None:
        raise SpeedFactorUnknown(question.factor_id)
    check_version(question.factor_id, factor, question.if_version)
    draft.record(SpeedFactorLifted(at_ms=draft.now_ms, factor_id=question.factor_id))
    return draft.finish(speed_factor=factor)


def recheck_routes(draft: Draft, question: RecheckRoutes) -> Decision:
    """Finds the ways of all units on the road anew, then serves whom nobody could reach before."""
    for assignment in tuple(draft.board.assignments.values()):
        recheck(draft, assignment, cause=ROADS_CHANGED, arcs=question.arcs)
    serve_queue(draft)
    return draft.finish()


def _begins_ms(draft: Draft, question: CloseRoad | SetSpeedFactor) -> UnixMs:
    """When it begins: as asked, or now."""
    from_ms = draft.now_ms if question.from_ms is None else question.from_ms
    until_ms = question.until_ms
    effect_ms = max(from_ms, draft.now_ms)
    if until_ms is not None and until_ms <= effect_ms:
        raise BadPeriod(over_s=(effect_ms - until_ms) / 1000)
    return from_ms
