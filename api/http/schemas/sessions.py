"""Bodies about sessions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.http.schemas.gate import RequestBody


class SignIn(RequestBody):
    """A token, shown once."""

    token: Annotated[str, Field(min_length=1, max_length=200, repr=False)]
