"""How well a score tells which prompts need the strong model: RouteLLM's curve and its figures.

Prompts are sent to the strong model in the order of their score. The curve is the share of the
quality gap that is recovered (PGR) against the share of calls that the strong model gets; prompts
with equal scores are taken together, in no order. Measures are those of arXiv 2406.18665.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Shares of calls at which the curve is read.
GRID: Floats = np.linspace(0.0, 1.0, 1001)


class CurveFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one score over one set of prompts.

    `apgr` is the area under the curve (0.5 is chance), `cpt50` and `cpt80` the percentage of
    calls that recover 50 and 80 % of the gap (None: never), `pgr20` the share recovered with
    20 % of the calls, `auc` how well the score ranks what the weak model failed (None: it failed
    all or none), `oracle` the area that knowing both answers would give.
    """

    rows: int
    apgr: float
    cpt50: float | None
    cpt80: float | None
    pgr20: float
    auc: float | None
    oracle: float


class NoGap(ValueError):
    """The strong model is no better than the weak one over these rows, so there is no curve."""


def quality_curve(score: Floats, weak: Floats, strong: Floats) -> Floats:
    """PGR at every share of `GRID`.

    Raises:
        NoGap: the strong scores are not above the weak ones in sum.
    """
    gain = strong - weak
    if not len(gain) or gain.sum() <= 0:
        raise NoGap("over these rows the strong model is no better than the weak one")
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    total = np.concatenate(([0.0], np.cumsum(gain[order])))
    ends = np.flatnonzero(np.concatenate((ranked[1:] != ranked[:-1], [True]))) + 1
    places = np.concatenate(([0], ends)) / len(gain)
    return np.asarray(np.interp(GRID, places, np.concatenate(([0.0], total[ends]))) / gain.sum())


def area(curve: Floats) -> float:
    """APGR: the area under a curve."""
    return float(np.trapezoid(curve, GRID))


def calls_needed(curve: Floats, target: float) -> float | None:
    """The smallest percentage of calls at which the curve reaches `target`, or None."""
    reached = np.flatnonzero(curve >= target)
    if not len(reached):
        return None
    at = int(reached[0])
    if at == 0:
        return 0.0
    low, high = curve[at - 1], curve[at]
    part = (target - low) / (high - low) if high > low else 1.0
    return float(100 * (GRID[at - 1] + (GRID[at] - GRID[at - 1]) * part))


def ranking(score: Floats, positive: npt.NDArray[np.bool_]) -> float | None:
    """AUC of a score against a yes or no; equal scores count half."""
    wanted = int(positive.sum())
    others = len(positive) - wanted
    if not wanted or not others:
        return None
    _, inverse, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2.0)[inverse]
    return float((rank[positive].sum() - wanted * (wanted + 1) / 2) / (wanted * others))


def calibration_error(probability: Floats, outcome: Floats, bins: int = 10) -> float:
    """Expected calibration error: mean distance of probability and outcome, in equal-width bins."""
    if not len(probability):
        return 0.0
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    gap = np.bincount(place, probability - outcome, bins)
    return float(np.abs(gap).sum() / len(probability))


def figures(score: Floats, weak: Floats, strong: Floats) -> CurveFigures:
    """All figures of a score.

    Raises:
        NoGap: as `quality_curve`.
    """
    curve = quality_curve(score, weak, strong)
    return CurveFigures(
        rows=len(score),
        apgr=area(curve),
        cpt50=calls_needed(curve, 0.5),
        cpt80=calls_needed(curve, 0.8),
        pgr20=float(curve[200]),
        auc=ranking(score, weak < 0.5),
        oracle=area(quality_curve(strong - weak, weak, strong)),
    )
