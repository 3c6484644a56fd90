"""What can go wrong at the border: a request that cannot be served, a service that cannot start.

ApiError                    answered as a problem document (see problems.py)
├── Unauthorized            no token, or one that does not hold
├── Forbidden               a token whose role or unit does not reach this far
├── CrossSite               a change by cookie that does not come from the service's own pages
├── NotFound                no such thing here
├── CallerNotKept           an incident without a caller, or whose caller was forgotten
├── InvalidRequest          a body or parameter that breaks the contract
├── BadCursor               a cursor that this service did not give out
├── PreconditionRequired    a change without If-Match
├── BodyTooLarge            a body over the limit
├── RateLimited             more requests than the token, or the address, may make
├── CallersUnavailable      callers can neither be kept nor given out now
└── NotReady                the service is starting or stopping

StartError                  told on stderr in one line, with the exit code of the command line
├── SettingsInvalid         settings.toml or a KUAIJING_ variable that cannot be used
├── TokenRefused            a token that cannot be made, or is not known
├── DataMissing             a city, network or folder that is not there
├── BackupFailed            a backup that cannot be taken, trusted or put back
├── AddressRefused          a port that is taken, or an address that would be open to all
└── TlsRefused              a certificate or key that cannot be used or made
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_FIGURE_MISSED = 3
EXIT_DATA_MISSING = 4


class ApiError(Exception):
    """Root of the errors that a client sees; the message is the problem's `detail`."""


class Unauthorized(ApiError):
    """No bearer token came with the request, or it is unknown, damaged or revoked."""


class Forbidden(ApiError):
    """The token's role, or the unit it is bound to, does not reach this far."""


class NotFound(ApiError):
    """Nothing stands under this path or id."""


class CrossSite(ApiError):
    """A session's cookie came with a change that another site may have asked for."""


class CallerNotKept(ApiError):
    """Nobody's name and number are kept for this incident.

    Attributes:
        incident_id: The incident.
    """

    def __init__(self, incident_id: str, *, why: str) -> None:
        super().__init__(
            f"no caller is kept for {incident_id}: {why}; one is given with the incident or by"
            " PATCH, and forgotten after [callers] kept_days"
        )
        self.incident_id = incident_id


class CallersUnavailable(ApiError):
    """Callers can neither be kept nor given out now; incidents are taken all the same.

    Attributes:
        retry_after_s: When to try again.
    """

    def __init__(self, why: str, *, retry_after_s: int = 5) -> None:
        super().__init__(f"callers can neither be kept nor given out now: {why}")
        self.retry_after_s = retry_after_s


class InvalidRequest(ApiError):
    """A body or parameter breaks the contract.

    Attributes:
        errors: One entry for each fault: `loc` (where), `msg` (what), `type` (which rule).
    """

    def __init__(self, message: str, *, errors: Sequence[Mapping[str, object]] = ()) -> None:
        super().__init__(message)
        self.errors = list(errors)


class BadCursor(ApiError):
    """The cursor was not given out by this service, or belongs to another list."""


class PreconditionRequired(ApiError):
    """A change of an existing resource came without If-Match.

    Attributes:
        version: The resource's version now.
    """

    def __init__(self, message: str, *, version: int | None = None) -> None:
        super().__init__(message)
        self.version = version


class BodyTooLarge(ApiError):
    """The body is larger than a request may be."""


class RateLimited(ApiError):
    """The token, or the address that signs in, made more requests than it may.

    Attributes:
        retry_after_s: Seconds until the next request is served.
    """

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotReady(ApiError):
    """The service cannot answer this now, but soon.

    Attributes:
        retry_after_s: When to try again.
    """

    def __init__(self, message: str, *, retry_after_s: int = 2) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StartError(Exception):
    """Root of the errors that end a command; the message is one line for people.

    Attributes:
        exit_code: What the command returns to the shell.
    """

    exit_code = EXIT_FAILED


class SettingsInvalid(StartError):
    """A setting is unknown, of the wrong type, or out of its range."""

    exit_code = EXIT_USAGE


class TokenRefused(StartError):
    """A token cannot be made as asked, or is not known."""

    exit_code = EXIT_USAGE


class DataMissing(StartError):
    """A network, city or folder that the command needs is not there."""

    exit_code = EXIT_DATA_MISSING


class BackupFailed(StartError):
    """A backup cannot be taken, trusted or put back; nothing was left half done."""


class AddressRefused(StartError):
    """The port is taken, or the address would be open to everybody."""


class TlsRefused(StartError):
    """A certificate or key cannot be used, or cannot be made as asked."""
