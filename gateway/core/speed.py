"""How fast a deployment answers, as measured on its latest answers."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

import msgspec

#: Answers remembered for one deployment, and how long one counts; seconds.
SAMPLES = 64
FRESH_SECONDS = 600.0
#: A shorter answer says nothing about tokens a second.
FEWEST_TOKENS = 8


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Medians over the latest answers: seconds to the first byte, and output tokens a second.

    `first_byte_seconds` is 0 where no answer was streamed, so that its tokens carry all of the
    time; `tokens_per_second` is None where no answer was long enough to tell.
    """

    first_byte_seconds: float
    tokens_per_second: float | None = None


class Sample(msgspec.Struct, frozen=True):
    """One answer: when it ended (seconds of a monotonic clock) and how fast it was.

    `first_byte_seconds` is None for an answer that came in one piece.
    """

    at: float
    first_byte_seconds: float | None
    tokens_per_second: float | None


def sample_of(
    *, began: float, first_byte: float | None, ended: float, output_tokens: int
) -> Sample:
    """The sample of one answer; times are seconds of one clock.

    An answer in one piece tells no first byte, so all of its time counts for its tokens. Where
    there are hardly any tokens, the time to the first byte (or the whole time) is all it tells.
    """
    spent = ended - (began if first_byte is None else first_byte)
    if output_tokens < FEWEST_TOKENS or spent <= 0.0:
        return Sample(ended, (first_byte or ended) - began, None)
    waited = None if first_byte is None else first_byte - began
    return Sample(ended, waited, output_tokens / spent)


def seconds_for(speed: Speed, output_tokens: int) -> float:
    """How long an answer of that length is likely to take, in seconds."""
    if not speed.tokens_per_second:
        return speed.first_byte_seconds
    return speed.first_byte_seconds + output_tokens / speed.tokens_per_second


def speed_of(samples: Iterable[Sample], now: float) -> Speed | None:
    """The medians of the samples that are still fresh; None when there are none."""
    fresh = [one for one in samples if now - one.at <= FRESH_SECONDS]
    if not fresh:
        return None
    waits = [one.first_byte_seconds for one in fresh if one.first_byte_seconds is not None]
    rates = [one.tokens_per_second for one in fresh if one.tokens_per_second is not None]
    return Speed(
        first_byte_seconds=median(waits) if waits else 0.0,
        tokens_per_second=median(rates) if rates else None,
    )
