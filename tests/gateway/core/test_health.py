"""Circuit breakers."""

from __future__ import annotations

from gateway.core.health import (
    FAILURES_TO_OPEN,
    LONGEST_OPEN_SECONDS,
    OPEN_SECONDS,
    Breaker,
    admits,
    after_failure,
    after_success,
    state_name,
)


def broken(times: int, now: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker = after_failure(breaker, now)
    return breaker


def test_a_few_failures_leave_it_closed() -> None:
    """One failure less than the limit still admits calls."""
    assert admits(broken(FAILURES_TO_OPEN - 1), 0.0)


def test_failures_in_a_row_open_it_for_a_while() -> None:
    """It admits nothing until its pause is over, then one call as a trial."""
    breaker = broken(FAILURES_TO_OPEN)

    assert state_name(breaker, 0.0) == "open"
    assert not admits(breaker, OPEN_SECONDS - 0.1)
    assert state_name(breaker, OPEN_SECONDS) == "half_open"
    assert admits(breaker, OPEN_SECONDS)


def test_a_failed_trial_opens_it_again_for_twice_as_long() -> None:
    """The pause doubles with every opening in a row, up to a limit."""
    breaker = broken(FAILURES_TO_OPEN)
    again = after_failure(breaker, OPEN_SECONDS)

    assert again.open_until == OPEN_SECONDS + 2 * OPEN_SECONDS
    for _ in range(20):
        again = after_failure(again, again.open_until)
    assert after_failure(again, 1000.0 + again.open_until).open_until <= (
        1000.0 + again.open_until + LONGEST_OPEN_SECONDS
    )


def test_a_success_forgets_everything() -> None:
    """Failures must come in a row to count."""
    assert after_success(broken(FAILURES_TO_OPEN - 1)) == Breaker()
