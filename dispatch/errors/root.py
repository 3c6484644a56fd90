"""The root of all errors of `dispatch`; the tree stands at the top of `dispatch.errors`."""

from __future__ import annotations


class DispatchError(Exception):
    """Root of all errors of `dispatch`; the message says what, why and how to mend."""
