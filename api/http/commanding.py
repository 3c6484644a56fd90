"""Commands: from a checked question to a durable answer."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.http.conditional import version_tag
from api.http.idempotency import REPLAYED, command_key
from api.http.permissions import caller_of
from api.http.responding import JSON
from api.http.views.plain import encode
from api.service import service_of
from dispatch.questions import Question
from dispatch.runner import Outcome
from dispatch.store import StoredReply

Present = Callable[[Outcome], StoredReply]
"""Makes the answer out of what came of a question."""


async def carry_out(
    request: Request, question: Question, present: Present, *, digest_key: bytes | None = None
) -> Response:
    """Asks the dispatcher, waits until it is durable, and answers.

    The answer is made once and kept with the command, so that a repetition gets the same bytes.

    Args:
        request: May carry an Idempotency-Key.
        question: What is wanted.
        present: Makes the answer.
        digest_key: Hides what the body's digest is of, see `command_key`.

    Raises:
        DispatchError: What the dispatcher refuses, see `api.http.problems`.
    """
    metrics = service_of(request).metrics
    command = await command_key(request, digest_key=digest_key)
    began_s, decided_s = perf_counter(), 0.0

    def answer(outcome: Outcome) -> StoredReply:
        nonlocal decided_s
        decided_s = outcome.decision_s
        return present(outcome)

    reply = await service_of(request).runner.ask(
        question, actor=caller_of(request).actor, command=command, answer=answer
    )
    if not reply.replayed:
        metrics.decide_s.observe(decided_s)
        metrics.durable_s.observe(max(0.0, perf_counter() - began_s - decided_s))
    headers = dict(reply.headers)
    if reply.replayed:
        headers[REPLAYED] = "true"
    return Response(reply.body, reply.status, headers, JSON)


def stored(
    view: Any, *, status: int = 200, version: int | None = None, **headers: str
) -> StoredReply:
    """A view as an answer that can be kept."""
    pairs = list(headers.items())
    if version is not None:
        pairs.append(("etag", version_tag(version)))
    return StoredReply(status=status, body=encode(view), headers=tuple(pairs))
