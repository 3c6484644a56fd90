"""The floor under a durable incident: a FastAPI app whose POST checks its body and does nothing.

Only the benchmark starts it, with the same server settings as the service:
`python -m api.bench.noop_app PORT`.
"""

from __future__ import annotations

import sys
from typing import Annotated

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field


class NoopPoint(BaseModel):
    """A point."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]


class NoopIncident(BaseModel):
    """The body that the benchmark posts to the service too."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    location: NoopPoint
    category: Annotated[str, Field(max_length=200)]
    description: Annotated[str, Field(max_length=2_000)] = ""


class NoopAnswer(BaseModel):
    """Something small, so that an answer is made as well."""

    id: str
    category: str


def noop_app() -> FastAPI:
    """The app; `/readyz` tells that it is up."""
    app = FastAPI(openapi_url=None)

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/v1/incidents", status_code=201)
    async def receive(incident: NoopIncident) -> NoopAnswer:
        return NoopAnswer(id="I000001", category=incident.category)

    return app


def main() -> None:
    """Serve on the loopback port given on the command line."""
    uvicorn.run(
        noop_app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
