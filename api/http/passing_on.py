"""Where several workers serve: what changes something goes to the one that leads.

A follower sends such a request on, with the caller's own headers and body, and passes the answer
back as it came. Before it does, its own board has come as far as the leader's was, so that whoever
was answered reads what it wrote. Whoever goes on at another worker sends the seq of its last answer
along, and is waited for there likewise.

What was sent and not answered is repeated only where that cannot do it twice.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError
from api.http.degraded import FEED_BEHIND, HEADER, note_lack
from api.http.peers import PassedOn, PeerAnswer, PeerBroke, PeerNotReached, Peers
from api.http.problems import problem_response
from dispatch.errors import DispatchError, OutcomeUnknown, StoreUnavailable
from dispatch.runner import Runner
from dispatch.running.following import Following

LEADER_WITHIN_S = 5.0
"""Longest that a request waits for somebody to lead: a lease runs out within 3 s."""

LOOK_S = 0.05
"""How often it looks meanwhile."""

HURRY_S = 1.0
"""Longest that a worker which stops still waits for the leader: cut off by its own end after 3 s,
it could not say any more that nobody knows."""

REPEATS_MAX = 3
"""Leaders that one request may be lost at."""

SEQ = b"x-kuaijing-seq"
"""On an answer, the last event that it may speak of; on a request, the one it wants to see."""

NOT_LEADING = b"x-kuaijing-not-leading"
"""On the answer of a worker that was asked as the leader and is none: nothing was done."""

SCHEME = b"x-kuaijing-scheme"
"""On a request that is passed on, the scheme by which its client came: its cookie depends on it."""

PASSED_ON = "kuaijing.passed_on"
"""In the scope of a request that another worker has passed on: it goes no further."""

_WITHOUT_BODY = frozenset({204, 304})

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({"/v1/recommendations", "/v1/routes", "/v1/positions", "/v1/session", "/osmand"})
"""Calls that change nothing in the log: every worker answers them itself."""

_MONOTONE = re.compile(r"/v1/assignments/[^/]+/(ack|depart|arrive|clear)")
"""A crew's steps: the first stamp counts, and one that comes again changes nothing."""

_IN_PROGRESS = b'"idempotency_key_in_progress"'


class PeerEntrance:
    """The application as other workers reach it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Marks what comes in as passed on; its client may have come over TLS."""
        scope[PASSED_ON] = True
        if _header(scope, SCHEME) in {b"http", b"https"}:
            scope["scheme"] = (_header(scope, SCHEME) or b"").decode()
        await self._app(scope, receive, send)


class PassingOn:
    """ASGI middleware: serves here what can be, and has the leader serve the rest."""

    def __init__(
        self,
        app: ASGIApp,
        runner: Runner,
        following: Following,
        peers: Peers,
        *,
        knows: Callable[[Request], bool],
    ) -> None:
        """Put it around an application.

        Args:
            app: Answers.
            runner: This worker's dispatcher.
            following: How far its board has come.
            peers: Asks the leader.
            knows: Whether a token or a session that holds came with a request. For anybody else
                nothing is waited for, and no body is kept in memory: the application refuses it.
        """
        self._app = app
        self._runner = runner
        self._following = following
        self._peers = peers
        self._knows = knows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] in _READS or scope["path"] in _OWN:
            await self._read(scope, receive, send)
        elif self._runner.leads:
            await self._app(scope, receive, self._with_seq(send))
        elif PASSED_ON in scope:
            refusal = problem_response(StoreUnavailable("this worker does not lead any more"))
            refusal.headers[NOT_LEADING.decode()] = "1"
            await refusal(scope, receive, send)
        elif not self._knows(Request(scope)):
            await self._app(scope, receive, send)
        else:
            await self._have_it_done(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = _number(_header(scope, SEQ))
        if wanted and self._knows(Request(scope)) and not await self._following.reach(wanted):
            note_lack(scope, [FEED_BEHIND])
        await self._app(scope, receive, send)

    def _with_seq(self, send: Send) -> Send:
        async def numbered(message: Message) -> None:
            if message["type"] == "http.response.start":
                seq = b"%d" % self._runner.durable_seq
                message["headers"] = [*message["headers"], (SEQ, seq)]
            await send(message)

        return numbered

    async def _have_it_done(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = await _whole(scope, receive)
            answer = await self._answer(request, repeatable=_repeatable(scope))
        except (ApiError, DispatchError) as error:
            await problem_response(error, scope)(scope, receive, send)
            return
        if answer is None:
            # This worker leads by now.
            await self._app(scope, _again(request.body, receive), self._with_seq(send))
            return
        if not await self._following.reach(_number(answer.header(SEQ))):
            note_lack(scope, [FEED_BEHIND])
        # What the leader's answer lacks, this one lacks too.
        note_lack(scope, filter(None, (answer.header(HEADER) or b"").decode().split(",")))
        headers = [pair for pair in answer.headers if pair[0] != HEADER]
        if answer.status not in _WITHOUT_BODY:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, request: PassedOn, *, repeatable: bool) -> PeerAnswer | None:
        """The leader's answer; None where this worker leads itself.

        Raises:
            StoreUnavailable: nobody leads; nothing was done.
            OutcomeUnknown: the link broke, and to repeat it could do it twice.
        """
        broken = 0
        until_s = time.monotonic() + LEADER_WITHIN_S
        while not self._runner.leads:
            if self._following.released.is_set():
                raise _stopping(in_doubt=broken > 0)
            try:
                answer = await self._ask_leader(request)
                if answer is not None and not (broken and _is_in_progress(answer)):
                    return answer
            except PeerBroke as error:
                broken += 1
                over = broken > REPEATS_MAX or self._following.released.is_set()
                if not repeatable or over:
                    raise OutcomeUnknown(
                        f"the link to the worker that leads broke ({error})"
                    ) from error
                until_s = time.monotonic() + LEADER_WITHIN_S
            if time.monotonic() > until_s:
                raise self._nobody(in_doubt=broken > 0)
            await asyncio.sleep(LOOK_S)
        return None

    def _nobody(self, *, in_doubt: bool) -> StoreUnavailable:
        leader = self._following.leader
        why = f"no worker led within {LEADER_WITHIN_S:g} s; one takes the lead within seconds"
        if leader is not None and self._following.lack is None:
            why = (
                f"the worker that leads was not reached at {leader.peer or 'any address'} within"
                f" {LEADER_WITHIN_S:g} s; one on another machine is to be started with --peer-host"
            )
        return OutcomeUnknown(why) if in_doubt else StoreUnavailable(why)

    async def _ask_leader(self, request: PassedOn) -> PeerAnswer | None:
        """Its answer; None where nothing was done, because nobody who leads was reached."""
        leader = self._following.leader
        if leader is None or not leader.peer:
            return None

        hurried_s: float | None = None

        def still_leads() -> bool:
            nonlocal hurried_s
            now, now_s = self._following.leader, time.monotonic()
            if self._following.released.is_set():
                hurried_s = hurried_s or now_s
            late = hurried_s is not None and now_s - hurried_s > HURRY_S
            same = now is not None and now.epoch == leader.epoch
            return same and not late and not self._runner.leads

        try:
            answer = await self._peers.ask(leader.peer, request, still_leads=still_leads)
        except PeerNotReached:
            return None
        return None if answer.header(NOT_LEADING) is not None else answer


def _stopping(*, in_doubt: bool) -> StoreUnavailable:
    why = "this worker stops; ask again, another one answers"
    return OutcomeUnknown(why) if in_doubt else StoreUnavailable(why)


def _repeatable(scope: Scope) -> bool:
    """Whether a request that was sent twice is carried out once."""
    if _header(scope, b"idempotency-key") is not None:
        return True
    return scope["method"] == "POST" and _MONOTONE.fullmatch(scope["path"]) is not None


def _is_in_progress(answer: PeerAnswer) -> bool:
    """Whether a repeated request found the first one still at work."""
    return answer.status == 409 and _IN_PROGRESS in answer.body


async def _whole(scope: Scope, receive: Receive) -> PassedOn:
    """The request with all of its body.

    Raises:
        ClientDisconnect: it never came whole.
    """
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    target = scope["raw_path"]
    if scope["query_string"]:
        target += b"?" + _escaped(scope["query_string"])
    ours = (b"x-request-id", SCHEME)
    headers = [(name, value) for name, value in scope["headers"] if name not in ours]
    headers.append((b"x-request-id", scope["request_id"].encode()))
    headers.append((SCHEME, scope["scheme"].encode()))
    return PassedOn(method=scope["method"], target=target, headers=headers, body=b"".join(parts))


def _escaped(query: bytes) -> bytes:
    """A query as it may stand in a request: what a client sent as it is, in hexadecimal."""
    return b"".join(b"%c" % one if 0x21 <= one <= 0x7E else b"%%%02X" % one for one in query)


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read once more."""
    left = [body]

    async def received() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return received


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)


def _number(value: bytes | None) -> int:
    """A seq in a header; 0 where there is none that can be one."""
    return int(value) if value is not None and value.isdigit() and len(value) <= 16 else 0
