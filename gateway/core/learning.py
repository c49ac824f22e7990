"""What use has taught about a deployment's quality, by task: counts by day, and a bounded shift.

Rules of this file:
- evidence is sums by day, so that it fades by its age, and any day of it can be taken back exactly;
- what it changes is one number for a deployment and task: a shift of the predicted quality's
  log-odds, pulled towards none while there is little evidence and never beyond `MOST_SHIFT`;
- what another model says of an answer counts for less than what whoever got it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log

import msgspec

from gateway.core.money import MILLION

_DAY_SECONDS = 86400
#: How old evidence is when it counts half, in days.
HALF_LIFE_DAYS = 30.0
#: How long a day's evidence is kept, in days: an eighth of it still counts then.
KEPT_DAYS = 90
#: As how many answers the prediction itself counts.
PRIOR_ANSWERS = 20.0
#: As how many ratings the score of one judged answer counts.
JUDGED_WEIGHT = 0.25
#: The largest shift either way, in log-odds.
MOST_SHIFT = 2.0
#: Scores and predictions at the ends count as almost sure, so that their log-odds are finite.
_LEAST = 0.01


class Day(msgspec.Struct, frozen=True):
    """The answers of one day: how many, and the sums of scores and predictions (millionths).

    Those that only a judge has scored are kept apart, in the last three.
    """

    answers: int = 0
    score: int = 0
    predicted: int = 0
    judged: int = 0
    judged_score: int = 0
    judged_predicted: int = 0


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one deployment and task, older answers counting less.

    `rated` and `judged` are their decayed numbers by who scored them, and `answers` is as how many
    ratings they count; `score` and `predicted` are means, 0..1.
    """

    answers: float = 0.0
    score: float = 0.0
    predicted: float = 0.0
    rated: float = 0.0
    judged: float = 0.0


def day_of(at: float) -> int:
    """The number of the day, in UTC and since the epoch, that a moment (epoch seconds) is in."""
    return int(at // _DAY_SECONDS)


def evidence_of(days: Mapping[int, Day], today: int) -> Evidence:
    """The evidence of all days, by their numbers since the epoch."""
    rated = judged = score = predicted = 0.0
    for number, day in days.items():
        weight = 0.5 ** (max(0, today - number) / HALF_LIFE_DAYS)
        rated += weight * day.answers
        judged += weight * day.judged
        score += weight * (day.score + JUDGED_WEIGHT * day.judged_score) / MILLION
        predicted += weight * (day.predicted + JUDGED_WEIGHT * day.judged_predicted) / MILLION
    answers = rated + JUDGED_WEIGHT * judged
    if answers <= 0:
        return Evidence()
    return Evidence(
        answers=answers,
        score=score / answers,
        predicted=predicted / answers,
        rated=rated,
        judged=judged,
    )


def shift_of(evidence: Evidence) -> float:
    """How far the predicted quality's log-odds are moved; 0 without evidence."""
    if evidence.answers <= 0:
        return 0.0
    expected = evidence.predicted
    answers = evidence.answers
    seen = (evidence.score * answers + expected * PRIOR_ANSWERS) / (answers + PRIOR_ANSWERS)
    return max(-MOST_SHIFT, min(MOST_SHIFT, _logit(seen) - _logit(expected)))


def shifted(quality: float, shift: float) -> float:
    """A predicted quality, 0..1, with its log-odds moved."""
    if not shift:
        return quality
    return 1.0 / (1.0 + exp(-(_logit(quality) + shift)))


def _logit(share: float) -> float:
    bounded = min(1.0 - _LEAST, max(_LEAST, share))
    return log(bounded / (1.0 - bounded))
