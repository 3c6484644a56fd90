"""Reads server-sent events, as a browser does."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

Message = dict[str, str]


def messages(reply: httpx.Response) -> Iterator[Message]:
    """Messages of a stream; a comment is a message with one."""
    message: Message = {}
    for line in reply.iter_lines():
        if not line:
            if message:
                yield message
            message = {}
        elif line.startswith(":"):
            message["comment"] = line[1:].strip()
        else:
            name, _, value = line.partition(": ")
            message[name] = value
