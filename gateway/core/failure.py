"""How one call upstream can fail, and what each kind means for retry, fallback and blame."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FailureKind(StrEnum):
    """The kinds of attempt failure; adapters return one, they do not raise."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    BAD_RESPONSE = "bad_response"
    CUT_STREAM = "cut_stream"
    UNAUTHORIZED = "unauthorized"
    MODEL_MISSING = "model_missing"
    CONTEXT_EXCEEDED = "context_exceeded"
    REJECTED = "rejected"
    CLEARANCE = "clearance"
    BREAKER_OPEN = "breaker_open"
    LOSSY = "lossy"
    CANCELLED = "cancelled"


#: Worth the same deployment again after a pause.
_RETRYABLE = frozenset(
    {
        FailureKind.CONNECT,
        FailureKind.RATE_LIMITED,
        FailureKind.OVERLOADED,
        FailureKind.SERVER_ERROR,
        FailureKind.BAD_RESPONSE,
        FailureKind.CUT_STREAM,
    }
)
#: The caller's own mistake: no other deployment would take it either.
_FINAL = frozenset({FailureKind.REJECTED, FailureKind.CANCELLED})
#: Counts against the deployment's health.
_UNHEALTHY = frozenset(
    {
        FailureKind.CONNECT,
        FailureKind.TIMEOUT,
        FailureKind.OVERLOADED,
        FailureKind.SERVER_ERROR,
        FailureKind.BAD_RESPONSE,
        FailureKind.CUT_STREAM,
    }
)
#: The call certainly never ran a model, so nothing was spent.
_FREE = frozenset(
    {
        FailureKind.CONNECT,
        FailureKind.RATE_LIMITED,
        FailureKind.OVERLOADED,
        FailureKind.UNAUTHORIZED,
        FailureKind.MODEL_MISSING,
        FailureKind.CONTEXT_EXCEEDED,
        FailureKind.REJECTED,
        FailureKind.CLEARANCE,
        FailureKind.BREAKER_OPEN,
        FailureKind.LOSSY,
    }
)


class AttemptFailure(msgspec.Struct, frozen=True, kw_only=True):
    """One failed attempt.

    `detail` is for operators and logs and never holds prompt text or secrets; `status` and
    `body` are the upstream's own answer, shown to the caller only for `REJECTED` and
    `CONTEXT_EXCEEDED`, where the mistake is the caller's; `retry_after` is in seconds;
    `pointers` name what of the request could not be carried (`LOSSY`). `correction` is set when
    the server did well and the model did not: what the next attempt is told; it may quote the
    answer and is for no log. `again` is False where another try there is known to be no use.
    `ours` says that the gateway had added something to what was refused, so that the mistake may
    not be the caller's.
    """

    kind: FailureKind
    detail: str = ""
    status: int = 0
    body: bytes = b""
    retry_after: float | None = None
    pointers: tuple[str, ...] = ()
    correction: str = ""
    again: bool = True
    ours: bool = False

    @property
    def retryable(self) -> bool:
        """Whether the same deployment may be tried again."""
        return self.again and self.kind in _RETRYABLE

    @property
    def falls_back(self) -> bool:
        """Whether the next candidate may be tried."""
        return self.kind not in _FINAL or self.ours

    @property
    def unhealthy(self) -> bool:
        """Whether the failure counts against the deployment's breaker."""
        return self.kind in _UNHEALTHY and not self.correction

    def after_content(self) -> AttemptFailure:
        """The same failure once model output was paid for: never free, whatever it is called."""
        if not self.free:
            return self
        return msgspec.structs.replace(self, kind=FailureKind.SERVER_ERROR)

    @property
    def free(self) -> bool:
        """Whether it is certain that nothing was spent upstream."""
        return self.kind in _FREE
