"""What the lengths of answers tell."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.output_length import FEWEST_LENGTHS, LENGTHS_KEPT, AnswerLength, lengths_of

COUNTS = st.lists(st.integers(1, 5_000), min_size=FEWEST_LENGTHS, max_size=LENGTHS_KEPT)


def drawn(chance: random.Random, times: int, cap: int | None = None) -> list[AnswerLength]:
    """Lengths as answers have them: many short ones and a long tail."""
    lengths = [max(1, round(chance.lognormvariate(5.0, 1.0))) for _ in range(times)]
    if cap is None:
        return [AnswerLength(length) for length in lengths]
    return [AnswerLength(min(length, cap), cut=length >= cap) for length in lengths]


def test_a_few_answers_tell_nothing() -> None:
    assert lengths_of([AnswerLength(9)] * (FEWEST_LENGTHS - 1)) is None


def test_the_places_of_quantiles_count_the_answer_to_come() -> None:
    """The 90 % quantile of 99 answers is the 90th of them, and of 100 the 91st."""
    found = lengths_of(AnswerLength(number) for number in range(1, 100))
    more = lengths_of(AnswerLength(number) for number in range(1, 101))

    assert found is not None
    assert more is not None
    assert (found.p50, found.p90, found.p99) == (50, 90, 99)
    assert (more.p50, more.p90, more.p99) == (51, 91, 100)
    assert found.mean == pytest.approx(50, abs=1)


def test_a_quantile_beyond_all_caps_is_not_made_up() -> None:
    """Half of the answers were cut off, so nobody knows how long one in ten would be."""
    cut = [AnswerLength(100, cut=True)] * 50
    found = lengths_of([AnswerLength(number) for number in range(1, 51)] + cut)

    assert found is not None
    assert (found.p50, found.p90, found.p99) == (None, None, None)
    assert found.capped(80) == (80, 80, 80)


@given(counts=COUNTS, cap=st.integers(1, 6_000))
def test_no_prediction_passes_the_cap(counts: list[int], cap: int) -> None:
    found = lengths_of(AnswerLength(count) for count in counts)

    assert found is not None
    assert found.likely(cap) <= cap
    p50, p90, p99 = found.capped(cap)
    assert p50 <= p90 <= p99 <= cap


@pytest.mark.parametrize("cap", [None, 256])
def test_quantiles_cover_as_often_as_they_say(cap: int | None) -> None:
    """Within three points, also of the answers that no cap would have cut off."""
    chance = random.Random(11)
    covered = {0.5: 0, 0.9: 0, 0.99: 0}
    rounds = 3_000
    for _ in range(rounds // 20):
        found = lengths_of(drawn(chance, LENGTHS_KEPT, cap))
        assert found is not None
        quantiles = dict(zip(covered, (found.p50, found.p90, found.p99), strict=True))
        for answer in drawn(chance, 20):
            for share, quantile in quantiles.items():
                if quantile is None:  # then it is the cap that bounds them
                    covered[share] += share * 1
                else:
                    covered[share] += answer.tokens <= quantile

    for share, times in covered.items():
        assert times / rounds == pytest.approx(share, abs=0.03)
