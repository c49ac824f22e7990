"""How fast a deployment answers."""

from __future__ import annotations

import pytest

from gateway.core.speed import FRESH_SECONDS, Sample, Speed, sample_of, seconds_for, speed_of


def test_a_stream_tells_its_first_byte_and_its_rate() -> None:
    """100 tokens in the 2 seconds after the first byte are 50 a second."""
    sample = sample_of(began=10.0, first_byte=10.5, ended=12.5, output_tokens=100)

    assert (sample.first_byte_seconds, sample.tokens_per_second) == (0.5, 50.0)


def test_an_answer_in_one_piece_is_all_rate() -> None:
    """When it began to be written is not known, so its tokens carry all of the time."""
    sample = sample_of(began=10.0, first_byte=None, ended=12.0, output_tokens=100)

    assert (sample.first_byte_seconds, sample.tokens_per_second) == (None, 50.0)


def test_a_short_answer_tells_only_its_time() -> None:
    """Two tokens would say nothing about tokens a second; an embedding has none."""
    embedding = sample_of(began=1.0, first_byte=None, ended=1.25, output_tokens=0)
    two = sample_of(began=1.0, first_byte=1.5, ended=1.75, output_tokens=2)

    assert (embedding.first_byte_seconds, embedding.tokens_per_second) == (0.25, None)
    assert (two.first_byte_seconds, two.tokens_per_second) == (0.5, None)


def test_the_median_counts_and_old_answers_do_not() -> None:
    """One slow answer moves nothing, and what was long ago is forgotten."""
    now = 10_000.0
    samples = [
        Sample(now - FRESH_SECONDS - 1, 99.0, 1.0),
        Sample(now - 3, 0.2, 40.0),
        Sample(now - 2, 9.0, 50.0),
        Sample(now - 1, 0.4, 60.0),
    ]

    assert speed_of(samples, now) == Speed(first_byte_seconds=0.4, tokens_per_second=50.0)
    assert speed_of(samples[:1], now) is None


def test_the_time_of_an_answer_grows_with_its_length() -> None:
    """First byte and tokens add up; without a rate the first byte is all that is known."""
    assert seconds_for(Speed(first_byte_seconds=0.5, tokens_per_second=50.0), 100) == 2.5
    assert seconds_for(Speed(first_byte_seconds=0.5), 100) == pytest.approx(0.5)
