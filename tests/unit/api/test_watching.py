"""What looks after the service goes on whatever happens to it."""

from __future__ import annotations

import asyncio

import pytest

from api import watching


def test_a_job_that_a_defect_ends_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 0.0)
    begun = 0

    async def job() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise ValueError("a defect")

    asyncio.run(asyncio.wait_for(watching._kept_up(job), 30.0))
    assert begun == 3, "it ended by itself, and was not begun again"
