"""A command that names who called: carried out first, then the caller is kept, then it is answered.

The order is that of what matters: nobody waits for a caller's number to be sent help, and the
incident is durable before its id is written down beside a name. What became of the caller is told
in the answer that goes out, and not in the one that is stored with the command: a repetition finds
out anew, and keeps a caller that the first try could not.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from api.callers.caller_book import CallerBook
from api.callers.caller_file import CalledAbout
from api.callers.sealing import CallerDetails
from api.clock import milliseconds
from api.errors import CallersUnavailable
from api.http.commanding import Present, carry_out
from api.http.responding import JSON
from api.http.schemas.incidents import CallerGiven
from api.service import service_of
from dispatch.questions import Question


class CallerOutcome(Struct):
    """What became of the caller that was given."""

    kept: bool
    why: str | UnsetType = UNSET


class _Named(Struct):
    """What of an incident is needed here."""

    id: str
    received_at: datetime
    version: int


class _Answered(Struct):
    """The answer to a command: an incident, or one inside."""

    incident: _Named


async def carry_out_and_keep(
    request: Request, question: Question, present: Present, given: CallerGiven
) -> Response:
    """As `carry_out`, and keeps who called before it answers.

    A caller that cannot be kept takes nothing back: the answer says `"kept": false` and why.

    Raises:
        DispatchError: What the dispatcher refuses; nothing is kept then.
    """
    callers = service_of(request).callers
    digest_key = await callers.digest_key()
    done = await carry_out(request, question, present, digest_key=digest_key)
    details = CallerDetails(name=given.name, phone=given.phone, note=given.note)
    outcome = await _keep(callers, _about(bytes(done.body)), details)
    body = msgspec.json.decode(done.body, type=dict[str, msgspec.Raw])
    body["caller"] = msgspec.Raw(msgspec.json.encode(outcome))
    headers = {name: text for name, text in done.headers.items() if name != "content-length"}
    return Response(msgspec.json.encode(body), done.status_code, headers, JSON)


def _about(body: bytes) -> CalledAbout:
    """The incident that an answer shows."""
    try:
        named = msgspec.json.decode(body, type=_Answered).incident
    except msgspec.ValidationError:
        named = msgspec.json.decode(body, type=_Named)
    return CalledAbout(
        incident_id=named.id,
        received_at_ms=milliseconds(named.received_at),
        version=named.version,
    )


async def _keep(callers: CallerBook, about: CalledAbout, details: CallerDetails) -> CallerOutcome:
    if not callers.kept_days:
        return CallerOutcome(kept=False, why="this service keeps no callers: [callers] kept_days")
    try:
        kept = await callers.keep(about, details)
    except CallersUnavailable as error:
        return CallerOutcome(
            kept=False, why=f"{error}; note it elsewhere, or give it again by PATCH"
        )
    return CallerOutcome(kept=True) if kept else CallerOutcome(kept=False, why="it was forgotten")
