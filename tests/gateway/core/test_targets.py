"""From what was seen of a route to the threshold that reaches its target."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.targets import (
    BINS,
    COLD_WEIGHT,
    HORIZON,
    MILLION,
    Bin,
    Tally,
    Target,
    cold_start,
    goal_of,
    place_of,
    reaches,
    threshold_of,
)
from ops.bench.target import spend

SHARE = Target(kind="frontier_share", goal=0.2)


def tally(difficulties: list[float], **more: object) -> Tally:
    bins: dict[int, Bin] = {}
    for one in difficulties:
        held = bins.get(place_of(one), Bin(0, 0, 0))
        bins[place_of(one)] = Bin(held.requests + 1, 0, held.high + MILLION)
    return Tally(requests=len(difficulties), bins=bins, **more)  # type: ignore[arg-type]


def test_a_share_is_the_quantile_of_what_was_seen() -> None:
    """A fifth of evenly spread difficulties lies above 0.8."""
    spread = [number / 1000 for number in range(1000)]

    assert threshold_of(SHARE, tally(spread)) == pytest.approx(0.8, abs=0.005)


def test_requests_that_look_alike_are_told_apart_by_chance() -> None:
    """Where all have one difficulty, the share is drawn."""
    threshold = threshold_of(SHARE, tally([0.5] * 1000))
    chance = random.Random(3)
    served = sum(reaches(0.5, chance.random(), threshold) for _ in range(10_000))

    assert served / 10_000 == pytest.approx(0.2, abs=0.015)


def test_nobody_and_everybody_can_be_aimed_at() -> None:
    """The ends of the scale are thresholds too."""
    seen = tally([0.0, 0.5, 0.999] * 100)
    none = threshold_of(Target(kind="frontier_share", goal=0.0), seen)
    all_of_them = threshold_of(Target(kind="frontier_share", goal=1.0), seen)

    assert not reaches(0.999, 0.999, none)
    assert reaches(0.0, 0.001, all_of_them)


def test_requests_without_a_choice_count_for_what_they_are_worth() -> None:
    """Half of them may not go outside, so two fifths of the others must."""
    spread = [number / 500 for number in range(500)]
    seen = tally(spread)
    mixed = Tally(requests=1000, bins=seen.bins)

    assert threshold_of(SHARE, mixed) == pytest.approx(0.6, abs=0.01)


def test_a_debt_shifts_the_goal_within_bounds() -> None:
    """What fell short is made good slowly, and never by all at once."""
    owed = Tally(debt=50 * MILLION)
    far = Tally(debt=-100 * HORIZON * MILLION)

    assert goal_of(SHARE, owed) == pytest.approx(0.3 * MILLION)
    assert goal_of(SHARE, far) == pytest.approx(0.02 * MILLION)


def test_a_quality_takes_as_few_of_the_hard_ones_as_will_do() -> None:
    """Ten requests from hopeless to easy; a mean of 0.9 needs the hardest ones only."""
    bins = {
        place_of(0.05 + number / 10): Bin(100, round((0.95 - number / 10) * 100 * MILLION), 10**8)
        for number in range(10)
    }
    seen = Tally(requests=1000, bins=bins)
    threshold = threshold_of(Target(kind="quality", goal=0.9), seen)
    mean = sum(
        one.high if reaches(place / BINS, 0.5, threshold) else one.low
        for place, one in bins.items()
    ) / (1000 * MILLION)

    assert mean == pytest.approx(0.9, abs=0.05)
    assert 0.4 < threshold < 0.6


def test_money_is_spread_over_the_requests_that_are_still_to_come() -> None:
    """A dollar an hour, a request a second: what is left decides how dear they may be."""
    target = Target(kind="spend", goal=1e9, per="hour")
    bins = {
        place: Bin(10, 10 * 100_000, 10 * 1_000_000) for place in range(0, BINS, 2)
    }  # cheap ones cost 0.0001 USD, dear ones ten times as much
    seen = Tally(requests=1000, bins=bins, per_second=1.0)
    rich = threshold_of(target, seen, seconds_left=3600)
    poor = threshold_of(
        target,
        Tally(requests=1000, bins=bins, per_second=1.0, spent_nanousd=900_000_000),
        seconds_left=1800,
    )
    unknown = threshold_of(target, Tally(requests=1000, bins=bins), seconds_left=3600)

    assert rich == pytest.approx(1 - (1e9 / 3600 - 1e5) / 9e5, abs=0.01)
    assert (poor, unknown) == (1.0, 1.0)


@given(
    st.lists(st.floats(0, 1), min_size=COLD_WEIGHT, max_size=600),
    st.floats(0.02, 0.98),
)
def test_the_threshold_reaches_the_share_on_what_it_was_taken_from(
    difficulties: list[float], share: float
) -> None:
    """Property: with the draw averaged out, exactly the share of the requests is served strong."""
    target = Target(kind="frontier_share", goal=share)
    threshold = threshold_of(target, tally(difficulties))
    # Of a step that the threshold cuts, the part above it is drawn.
    served = sum(min(1.0, max(0.0, place_of(one) + 1 - threshold * BINS)) for one in difficulties)

    assert served / len(difficulties) == pytest.approx(share, abs=1e-6)


def test_before_anybody_asked_the_public_sets_stand_in() -> None:
    """A fifth of them is judged harder than 0.6; money waits until the traffic is known."""
    assert threshold_of(SHARE, Tally()) == pytest.approx(0.57, abs=0.03)
    assert threshold_of(Target(kind="spend", goal=1e12, per="day"), Tally(), 3600.0) == 1.0
    assert sum(one.requests for one in cold_start(SHARE).bins.values()) == COLD_WEIGHT


def test_money_lasts_through_a_day_that_is_busier_at_one_end() -> None:
    """Never more than was given, and most of it even where the second half is quiet."""
    for shape in (lambda gone: 1.8 - 1.6 * gone, lambda gone: 0.2 + 1.6 * gone):
        (first, second, _) = spend(shape)

        assert 0.75 <= first <= 1.01
        assert 0.85 <= second <= 1.01
