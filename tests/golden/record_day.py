"""Records the golden log: a short scripted day in the made-up town, with every kind of question.

`python -m tests.golden.record_day` writes `log_v1.jsonl` anew. That is right only until a version
has been released with it: from then on the file stays, and codec and board must go on reading it.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from dispatch.codec import board_hash, encode_event
from dispatch.facts import Feedback
from dispatch.questions import (
    AddNote,
    AmendIncident,
    AssignUnit,
    CancelIncident,
    CloseIncident,
    CloseRoad,
    CorrectStamp,
    DeclineAssignment,
    LiftSpeedFactor,
    MergeIncident,
    NudgeIncident,
    Question,
    ReopenIncident,
    ReopenRoad,
    SetSpeedFactor,
    SetUnitStatus,
    StampAssignment,
)
from dispatch.runner import Outcome, Runner
from dispatch.store import StoredReply
from dispatch.words import (
    AssignmentId,
    ClosureId,
    IncidentId,
    SpeedFactorId,
    Stamp,
    UnitId,
    UnitStatus,
    UnixMs,
)
from tests.shell_town import TestClock, a_call, open_runner, place_at

GOLDEN = Path(__file__).with_name("log_v1.jsonl")


def incident(number: int) -> IncidentId:
    return IncidentId(f"I{number:06d}")


def step(number: int, stamp: Stamp, **more: object) -> StampAssignment:
    name = AssignmentId(f"A{number:06d}")
    return StampAssignment(assignment_id=name, stamp=stamp, **more)  # type: ignore[arg-type]


def the_day() -> list[tuple[float, Question]]:
    """Seconds that pass, and the question asked then."""
    report = Feedback(category_final="dispute", valid=True, text="调解完毕", counts={"people": 2})
    return [
        (0, a_call(300, 0, priority=1)),
        (5, step(1, Stamp.ACKED)),
        (5, step(1, Stamp.DEPARTED, device_seq=2)),
        (30, step(1, Stamp.ARRIVED)),
        (1, a_call(900, 600, priority=1)),
        (12, NudgeIncident(incident_id=incident(2), text="快")),
        (15, AddNote(incident_id=incident(2), text="门牌不清")),
        (3, a_call(1_000, 600)),
        (2, MergeIncident(incident_id=incident(3), into=incident(2))),
        (2, AmendIncident(incident_id=incident(2), location=place_at(600, 200), priority=2)),
        (2, AssignUnit(incident_id=incident(2), unit_id=UnitId("P04-CV"))),
        (2, CloseRoad(arcs=tuple(range(40)), reason="施工")),
        (2, SetSpeedFactor(factor=0.5, road_class="residential", reason="暴雨")),
        (60, step(1, Stamp.FEEDBACK, feedback=report)),
        (60, step(1, Stamp.CLEARED)),
        (1, CorrectStampAt(1, Stamp.ARRIVED, 38)),
        (1, CloseIncident(incident_id=incident(1), reason="办结")),
        (1, step(1, Stamp.ARRIVED)),
        (1, ReopenRoad(closure_id=ClosureId("C000001"))),
        (1, LiftSpeedFactor(factor_id=SpeedFactorId("F000001"))),
        (1, ReopenIncident(incident_id=incident(1), reason="又起纠纷")),
        (1, CancelIncident(incident_id=incident(1), reason="误报")),
        (1, a_call(200, 1_200, priority=3)),
        (1, SetUnitStatus(unit_id=UnitId("P02-M1"), status=UnitStatus.PATROLLING)),
        (2_000, a_call(50, 0, priority=4)),
    ]


def CorrectStampAt(number: int, stamp: Stamp, second: int) -> CorrectStamp:  # noqa: N802
    at_ms = UnixMs(TestClock().at_ms + second * 1000)
    name = AssignmentId(f"A{number:06d}")
    return CorrectStamp(assignment_id=name, stamp=stamp, at_ms=at_ms, reason="手误")


async def record(folder: Path) -> Runner:
    """Live through the day."""
    clock = TestClock()
    runner = await open_runner(folder, clock)

    def answer(_: Outcome) -> StoredReply:
        return StoredReply(status=200, body=b"")

    for seconds, question in the_day():
        for _ in range(3):
            clock.pass_s(seconds / 3)
            runner.tick()
        await runner.ask(question, actor="desk", answer=answer)
    waiting = [one for one in runner.board.assignments.values() if one.state == "dispatched"]
    decline = DeclineAssignment(assignment_id=waiting[-1].assignment_id, reason="车辆故障")
    await runner.ask(decline, actor="crew", answer=answer)
    return runner


async def main() -> None:
    with TemporaryDirectory() as folder:
        runner = await record(Path(folder))
        rows = [encode_event(one.recorded).decode() for one in await runner.read_events(0)]
        head = {"events": len(rows), "board_sha256": board_hash(runner.board)}
        await runner.close()
    GOLDEN.write_text("\n".join([json.dumps(head), *rows]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
