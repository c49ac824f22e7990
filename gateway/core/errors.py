"""Every error that a caller can meet, as one tree.

    FairleadError
    ├── InvalidRequest          400  the request itself is wrong
    │   ├── RequestTooLarge     413
    │   ├── KeyReused           409  an idempotency key came before with another request
    │   ├── StillRunning        409  … or its first request is not answered yet
    │   └── UnknownEndpoint     404 / 405
    ├── Unauthenticated         401  no key, a wrong one, an expired or revoked one
    ├── Forbidden               403  the key may not do this
    │   └── PolicyRefusal       403  policy leaves no deployment that may serve the request
    ├── UnknownModel            404  no alias or deployment of that name for this key
    ├── BudgetExhausted         429  a money cap would be passed
    ├── RateLimited             429  a limit on requests, tokens or calls at once is reached
    ├── UpstreamRejected        4xx  the backend says that the request is wrong
    ├── UpstreamFailed          502  every candidate failed
    │   ├── UpstreamRateLimited 429  … because each was asked too often
    │   └── UpstreamOverloaded  503  … because each has too much to do
    ├── DeadlineExceeded        504  no candidate answered in time
    └── StoreUnavailable        503  Redis does not answer, so nothing can be held or recorded

`public_message` is for the caller; `detail` is for operators and is never sent.
"""

from __future__ import annotations


class FairleadError(Exception):
    """Base of the tree; `retryable` says whether the same call may succeed later."""

    code = "internal_error"
    http_status = 500
    kind = "api_error"
    retryable = False

    def __init__(
        self,
        public_message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        detail: str = "",
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(public_message)
        self.public_message = public_message
        self.code = code or type(self).code
        self.http_status = http_status or type(self).http_status
        self.param = param
        self.detail = detail
        self.retry_after = retry_after


class InvalidRequest(FairleadError):
    """The request cannot be understood; the message says where and what to do."""

    code = "invalid_request"
    http_status = 400
    kind = "invalid_request_error"


class RequestTooLarge(InvalidRequest):
    """The body is larger than the gateway accepts."""

    code = "request_too_large"
    http_status = 413


class KeyReused(InvalidRequest):
    """The idempotency key stands for another request already."""

    code = "idempotency_key_reused"
    http_status = 409


class StillRunning(InvalidRequest):
    """The first request under this idempotency key has not been answered yet."""

    code = "idempotency_still_running"
    http_status = 409
    retryable = True


class UnknownEndpoint(InvalidRequest):
    """No such path, or not with this method."""

    code = "unknown_url"
    http_status = 404


class Unauthenticated(FairleadError):
    """No usable virtual key came with the request."""

    code = "invalid_api_key"
    http_status = 401
    kind = "authentication_error"


class Forbidden(FairleadError):
    """The key is good but does not allow this."""

    code = "forbidden"
    http_status = 403
    kind = "permission_error"


class PolicyRefusal(Forbidden):
    """Policy leaves no deployment that may serve the request."""

    code = "policy_refusal"


class UnknownModel(FairleadError):
    """The model named is neither an alias nor a deployment that the key may use."""

    code = "model_not_found"
    http_status = 404
    kind = "invalid_request_error"


class BudgetExhausted(FairleadError):
    """The hold would pass a money cap."""

    code = "budget_exhausted"
    http_status = 429
    kind = "insufficient_quota"


class RateLimited(FairleadError):
    """A limit has no room; `retry_after` says when it may have, None for never."""

    code = "rate_limit_exceeded"
    http_status = 429
    kind = "rate_limit_error"
    retryable = True


class UpstreamRejected(FairleadError):
    """The backend refused the request as wrong; its own words are passed on."""

    code = "upstream_rejected"
    http_status = 400
    kind = "invalid_request_error"


class UpstreamFailed(FairleadError):
    """Every candidate was tried and failed."""

    code = "upstream_failed"
    http_status = 502
    retryable = True


class UpstreamRateLimited(UpstreamFailed):
    """Every candidate was asked too often; `retry_after` is the shortest wait one asked for."""

    code = "rate_limit_exceeded"
    http_status = 429
    kind = "rate_limit_error"


class UpstreamOverloaded(UpstreamFailed):
    """Every candidate has too much to do; `retry_after` as above."""

    code = "overloaded"
    http_status = 503
    kind = "overloaded_error"


class DeadlineExceeded(FairleadError):
    """The request's deadline passed before a candidate answered."""

    code = "deadline_exceeded"
    http_status = 504
    kind = "timeout_error"
    retryable = True


class StoreUnavailable(FairleadError):
    """Redis does not answer, so nothing could be held, settled or recorded."""

    code = "store_unavailable"
    http_status = 503
    retryable = True
