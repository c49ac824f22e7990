"""A circuit breaker per deployment, as pure functions over a frozen state."""

from __future__ import annotations

import msgspec

#: Failures in a row that open the breaker, and how long it stays open, in seconds.
FAILURES_TO_OPEN = 5
OPEN_SECONDS = 10.0
LONGEST_OPEN_SECONDS = 120.0


class Breaker(msgspec.Struct, frozen=True):
    """`open_until` is in epoch seconds so that gateways can share it; 0 means closed."""

    failures: int = 0
    open_until: float = 0.0
    openings: int = 0


def state_name(breaker: Breaker, now: float) -> str:
    """closed, open, or half_open (the pause is over and one success would close it)."""
    if breaker.open_until == 0.0:
        return "closed"
    return "open" if now < breaker.open_until else "half_open"


def admits(breaker: Breaker, now: float) -> bool:
    """Whether a call may be made now."""
    return now >= breaker.open_until


def after_success(breaker: Breaker) -> Breaker:
    """The breaker after a good call: closed, with nothing remembered."""
    return breaker if breaker == _CLOSED else _CLOSED


def after_failure(breaker: Breaker, now: float) -> Breaker:
    """The breaker after an unhealthy failure; each opening in a row lasts twice as long."""
    failures = breaker.failures + 1
    half_open = breaker.open_until and now >= breaker.open_until
    if failures < FAILURES_TO_OPEN and not half_open:
        return Breaker(failures, breaker.open_until, breaker.openings)
    pause = min(LONGEST_OPEN_SECONDS, OPEN_SECONDS * 2.0**breaker.openings)
    return Breaker(0, now + pause, breaker.openings + 1)


_CLOSED = Breaker()
