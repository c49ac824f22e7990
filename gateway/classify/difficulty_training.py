"""Fits difficulty models to prompts that both a weak and a strong model have answered.

Two logistic heads over hashed words and dense features, fitted by L-BFGS. The same rows in the
same order give the same model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.classify.difficulty_features import BUCKETS, Seen

Floats = npt.NDArray[np.float64]
Loss = Callable[[Floats], tuple[float, Floats]]

#: Steps that L-BFGS remembers, and the most it takes; the heads are flat near their optimum.
_MEMORY = 8
_STEPS = 60
#: The rarity (one more than the log of one in how many rows) at which `rare` changes nothing.
_MIDDLING = 3.0


class Design(msgspec.Struct, frozen=True):
    """The features of many prompts: bucket numbers row after row, their weight, and dense ones."""

    buckets: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]
    dense: Floats

    @property
    def rows(self) -> int:
        """How many prompts there are."""
        return len(self.counts)

    def part(self, chosen: npt.NDArray[np.bool_]) -> Design:
        """Only the chosen rows."""
        return Design(
            self.buckets[np.repeat(chosen, self.counts)], self.counts[chosen], self.dense[chosen]
        )


class Head(msgspec.Struct, frozen=True):
    """A logistic head: a weight for each bucket and dense feature, and an intercept."""

    words: Floats
    dense: Floats
    intercept: float

    def logits(self, design: Design) -> Floats:
        """The log-odds of every row."""
        return _times(design, self.words) + design.dense @ self.dense + self.intercept


class Penalty(msgspec.Struct, frozen=True):
    """How hard weights are held to zero: of words and of dense features.

    With `rare`, a word that few rows have is held less than one that most have.
    """

    words: float
    dense: float
    rare: bool = False


def design_of(seen: Sequence[Seen], dense: Floats) -> Design:
    """Stack the features of prompts; `dense` is already standardised."""
    counts = np.array([len(one.buckets) for one in seen], np.int64)
    buckets = np.concatenate([one.buckets for one in seen]) if seen else np.zeros(0)
    return Design(buckets.astype(np.int32), counts, dense)


def fit_head(
    design: Design, target: Floats, penalty: Penalty, offset: Floats | None = None
) -> Head:
    """Fit one head to targets in 0..1 by penalised maximum likelihood, added to `offset`."""
    width = design.dense.shape[1]
    fixed = np.zeros(design.rows) if offset is None else offset
    # Buckets that never occur keep a weight of zero, so only the others are fitted.
    used, place = np.unique(design.buckets, return_inverse=True)
    small = Design(place.astype(np.int32), design.counts, design.dense)
    on_words = np.full(len(used), float(penalty.words))
    if penalty.rare:
        rarity = np.log((1 + design.rows) / (1 + np.bincount(place, minlength=len(used)))) + 1
        on_words *= (_MIDDLING / rarity) ** 2
    held = np.concatenate((on_words, np.full(width, penalty.dense), [1e-3]))

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = _times(small, weights[: len(used)]) + fixed + weights[-1]
        logits += small.dense @ weights[len(used) : -1]
        error = chance_of(logits) - target
        value = float((np.logaddexp(0, logits) - target * logits).sum())
        value += 0.5 * float(held @ (weights * weights))
        slope = held * weights
        slope[: len(used)] += _gathered(small, error, len(used))
        slope[len(used) : -1] += small.dense.T @ error
        slope[-1] += error.sum()
        return value, slope

    fitted = minimise(loss, np.zeros(len(used) + width + 1))
    words = np.zeros(BUCKETS)
    words[used] = fitted[: len(used)]
    return Head(words, fitted[len(used) : -1], float(fitted[-1]))


def chance_of(log_odds: Floats) -> Floats:
    """The probabilities of log-odds."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * log_odds)))


def fit_line(score: Floats, target: Floats) -> tuple[float, float]:
    """Slope and offset of log-odds that turn a score into a probability (Platt's scaling).

    The slope is never below zero: the order of the scores is kept.
    """
    # The middle and the spread of the scores are taken out, so that one penalty fits all.
    middle, spread = float(score.mean()), float(score.std()) or 1.0
    level = (score - middle) / spread

    def loss(pair: Floats) -> tuple[float, Floats]:
        logits = pair[0] * level + pair[1]
        error = chance_of(logits) - target
        value = float((np.logaddexp(0, logits) - target * logits).sum())
        held = 1e-3 * pair
        return value + 0.5 * float(held @ pair), np.array([error @ level, error.sum()]) + held

    slope, offset = minimise(loss, np.zeros(2))
    if slope <= 0:
        share = min(max(float(target.mean()), 1e-3), 1 - 1e-3)
        return 1e-3, float(np.log(share / (1 - share))) - 1e-3 * middle
    return float(slope / spread), float(offset - slope * middle / spread)


def minimise(loss: Loss, start: Floats, steps: int = _STEPS) -> Floats:
    """L-BFGS with a backtracking line search, for smooth convex losses."""
    point = start.copy()
    value, slope = loss(point)
    pairs: list[tuple[Floats, Floats, float]] = []
    for _ in range(steps):
        direction = _direction(slope, pairs)
        downhill = float(direction @ slope)
        if downhill > -1e-9 * max(1.0, abs(value)):
            break
        stride = 1.0 if pairs else min(1.0, 1.0 / (float(np.linalg.norm(slope)) + 1e-12))
        for _ in range(30):
            moved = point + stride * direction
            after, next_slope = loss(moved)
            if after <= value + 1e-4 * stride * downhill:
                break
            stride *= 0.5
        else:
            break
        step, change = moved - point, next_slope - slope
        bent = float(step @ change)
        if bent > 1e-12:
            pairs = [*pairs[-_MEMORY + 1 :], (step, change, 1.0 / bent)]
        point, value, slope = moved, after, next_slope
    return point


def _direction(slope: Floats, pairs: Sequence[tuple[Floats, Floats, float]]) -> Floats:
    aim = -slope
    shares = []
    for step, change, weight in reversed(pairs):
        share = weight * float(step @ aim)
        shares.append(share)
        aim = aim - share * change
    if pairs:
        step, change, weight = pairs[-1]
        aim = aim / (weight * float(change @ change))
    for (step, change, weight), share in zip(pairs, reversed(shares), strict=True):
        aim = aim + (share - weight * float(change @ aim)) * step
    return aim


def _times(design: Design, weights: Floats) -> Floats:
    """The weighted buckets of every row, over the root of how many it has."""
    total = np.concatenate(([0.0], np.cumsum(weights[design.buckets])))
    ends = np.cumsum(design.counts)
    sums = total[ends] - total[ends - design.counts]
    return np.asarray(sums / np.sqrt(np.maximum(design.counts, 1)))


def _gathered(design: Design, error: Floats, width: int) -> Floats:
    shares = error / np.sqrt(np.maximum(design.counts, 1))
    sums = np.bincount(design.buckets, np.repeat(shares, design.counts), width)
    return sums.astype(np.float64)
