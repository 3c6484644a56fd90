"""What can go wrong with a benchmark.

BenchFailed
├── AnswersDiffer     two libraries gave different milliseconds for the same question
└── ServiceSilent     a server started by the benchmark did not come up or stopped answering
"""

from __future__ import annotations


class BenchFailed(Exception):
    """Root of all errors of `api.bench`; the message says what, why and how to mend."""


class AnswersDiffer(BenchFailed):
    """Two independent computations disagree, so that no figure means anything."""


class ServiceSilent(BenchFailed):
    """A server that the benchmark started is not ready in time or answers nonsense."""
