"""Limits: requests and tokens in a window of time, and how many at once, as values.

A window slides in slots of a 120th: what was counted leaves it between one window and one
slot later, so that no span of a window's length ever holds more than the limit.
"""

from __future__ import annotations

import msgspec

#: Slots of a window; the window's length and one slot more are looked at.
SLOTS = 120


class LimitCounter(msgspec.Struct, frozen=True, kw_only=True):
    """What one scope may do: `requests` and `tokens` in any `seconds`, `concurrent` at once.

    None is no limit. `scope` is written like `team/support` or `deployment/frontier`.
    """

    scope: str
    seconds: int = 60
    requests: int | None = None
    tokens: int | None = None
    concurrent: int | None = None

    @property
    def of_deployment(self) -> bool:
        """Whether another deployment may still serve when this limit is reached."""
        return self.scope.startswith(("deployment/", "provider/"))


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """Where a limit stands: what is counted in its window now, and how many are under way."""

    counter: LimitCounter
    requests: int
    tokens: int
    concurrent: int


class Limited(msgspec.Struct, frozen=True, kw_only=True):
    """A limit has no room: `kind` is requests, tokens or concurrent.

    `asked` is what the attempt needs, `taken` what is counted already; `retry_after` is in
    seconds, None where waiting does not help. `at` is when this was so, in epoch seconds of the
    store's clock.
    """

    counter: LimitCounter
    kind: str
    asked: int
    taken: int
    retry_after: float | None
    at: float = 0.0

    @property
    def message(self) -> str:
        """The refusal in words for the caller."""
        counter = self.counter
        if self.kind == "concurrent":
            return (
                f"{counter.scope} may have {counter.concurrent:,} requests under way at once, and "
                "has them. Try again when one has ended."
            )
        most = counter.requests if self.kind == "requests" else counter.tokens
        span = {60: "minute", 3600: "hour", 86400: "day"}.get(
            counter.seconds, f"{counter.seconds} seconds"
        )
        begins = f"{counter.scope} may use {most or 0:,} {self.kind} a {span}"
        if self.retry_after is None:
            return (
                f"{begins}, and this request alone may need {self.asked:,}. Send less, or ask for "
                "fewer output tokens."
            )
        return (
            f"{begins}; {self.taken:,} are used, and this request may need {self.asked:,}. "
            f"Try again in {max(1, round(self.retry_after))} s."
        )
