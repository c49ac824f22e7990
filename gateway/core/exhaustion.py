"""The error for a request that nobody could serve, in words for the caller."""

from __future__ import annotations

from gateway.core.errors import (
    BudgetExhausted,
    DeadlineExceeded,
    FairleadError,
    InvalidRequest,
    RateLimited,
    UpstreamFailed,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRejected,
)
from gateway.core.failure import AttemptFailure, FailureKind

#: What happened so far: deployment and failure, in order.
Failures = tuple[tuple[str, AttemptFailure], ...]

_BUSY = frozenset({FailureKind.RATE_LIMITED, FailureKind.OVERLOADED})


def exhausted(
    failures: Failures, *, deadline: bool, budget_message: str, over_limit: RateLimited | None
) -> FairleadError:
    """The error for a plan that has no further candidate; every failure is named in order.

    Args:
        deadline: whether time ran out.
        budget_message: which budget refused a candidate, empty for none.
        over_limit: the limit that had no room, None for none.
    """
    story = "; ".join(f"{name}: {failure.kind.value}" for name, failure in failures)
    last = failures[-1][1] if failures else None
    if last is not None and last.kind in (FailureKind.REJECTED, FailureKind.CONTEXT_EXCEEDED):
        status = last.status if 400 <= last.status < 500 else 400
        code = None if last.kind is FailureKind.REJECTED else "context_length_exceeded"
        message = last.detail or "The model's server rejected the request."
        return UpstreamRejected(message, http_status=status, code=code)
    if failures and all(one.kind is FailureKind.LOSSY for _, one in failures):
        return _not_carried(failures)
    if over_limit is not None and not failures:
        return over_limit
    if budget_message:
        return BudgetExhausted(budget_message)
    if failures and all(one.kind in _BUSY for _, one in failures):
        return _busy(failures, story)
    if deadline:
        return DeadlineExceeded(f"No model answered before the deadline ({story or 'no attempt'}).")
    return UpstreamFailed(f"Every model that may serve this request failed ({story}).")


def _busy(failures: Failures, story: str) -> FairleadError:
    """The error for candidates that would serve, but not now."""
    waits = [one.retry_after for _, one in failures if one.retry_after is not None]
    limited = all(one.kind is FailureKind.RATE_LIMITED for _, one in failures)
    error = UpstreamRateLimited if limited else UpstreamOverloaded
    return error(
        f"Every model that may serve this request is busy ({story}). Try again later.",
        retry_after=min(waits, default=None),
    )


def _not_carried(failures: Failures) -> FairleadError:
    """The refusal of a request that no candidate's wire carries whole."""
    lost = dict.fromkeys(pointer for _, failure in failures for pointer in failure.pointers)
    return InvalidRequest(
        f"The models that may serve this request cannot be given {', '.join(lost)}, and policy "
        "does not let it be left out. Leave it out yourself, or ask for another model.",
        code="cannot_carry",
        param=next(iter(lost), None),
    )
