"""Turns logged pairs into a difficulty model of one's own, if that is better than the cold start.

The rows are in the order of their age. The newest fifth decides whether the model is adopted;
the older ones choose the penalty by cross-validation; what is saved is fitted to all rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.classify.cues import CueReader
from gateway.classify.difficulty import (
    CUTS,
    DENSE,
    Assessed,
    DifficultyModel,
    Predictor,
    leveled,
    pack_head,
)
from gateway.classify.difficulty_features import BUCKETS, SCALARS, Floats, Seen
from gateway.classify.difficulty_kept import Features, features_of
from gateway.classify.difficulty_tools import TOOL_SCALARS
from gateway.classify.difficulty_training import (
    Head,
    Penalty,
    design_of,
    fit_head,
    fit_line,
)
from gateway.classify.difficulty_trees import Grove, Trees, grow
from gateway.classify.routing_curve import NoGap, area, calibration_error, quality_curve

#: Fewer rows than this say nothing.
LEAST_ROWS = 50
#: Rows at which local gain and the weak model's failure count the same in the score.
HALF_TRUST = 30
#: Trees over the features of tools, which are few.
TOOL_TREES = 300
#: The first one is taken unless another is clearly better.
PENALTIES = (
    Penalty(2.0, 2000.0),
    Penalty(1.0, 300.0),
    Penalty(5.0, 1000.0),
    Penalty(10.0, 3000.0, rare=True),
)
#: Clearly better: by so much APGR, over the root of the rows.
_CLEARLY = 0.3
_FOLDS = 4
#: Spreads of features that hardly vary are not blown up beyond this.
_LEAST_SPREAD = 0.05

Mask = npt.NDArray[np.bool_]


class Pair(msgspec.Struct, frozen=True):
    """A prompt, and how good (0..1) the weak and the strong model's answers to it were.

    `tools` is the JSON of the field of that name in the request, if there was one.
    """

    prompt: str
    weak_score: float
    strong_score: float
    tools: bytes = b""


class TooFewRows(ValueError):
    """There are not enough rows to learn from."""


class Calibrated(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted model and what speaks for it.

    `newest_local` and `newest_cold` are APGR on the newest fifth, for which the model had not
    seen those rows; `crossed` is APGR over all rows by cross-validation, `error` the calibration
    error of the same. None: the strong model is no better there, so there is no curve.
    """

    model: DifficultyModel
    rows: int
    newest_local: float | None
    newest_cold: float | None
    crossed: float | None
    error: float

    @property
    def better(self) -> bool:
        """Whether the newest fifth speaks for the model, or at least not against it."""
        if self.newest_local is None or self.newest_cold is None:
            return False
        return self.newest_local >= self.newest_cold


class Learning(msgspec.Struct, frozen=True):
    """The features, those of the tools, and the scores of all rows."""

    seen: Sequence[Seen]
    raw: Floats
    tools: Floats
    weak: Floats
    strong: Floats

    def of(self, chosen: Mask) -> Learning:
        """Only the chosen rows."""
        seen = [one for one, keep in zip(self.seen, chosen, strict=True) if keep]
        return Learning(
            seen, self.raw[chosen], self.tools[chosen], self.weak[chosen], self.strong[chosen]
        )

    @property
    def with_tools(self) -> Mask:
        """Which rows' prompts have tools."""
        return self.tools[:, 0] > 0


class Scale(msgspec.Struct, frozen=True):
    """What puts dense features on one scale; see `gateway.classify.difficulty.leveled`."""

    means: Floats
    spreads: Floats
    cuts: Floats

    def levels(self, raw: Floats) -> Floats:
        """The dense features as the heads weigh them."""
        return leveled(raw, self.means, self.spreads, self.cuts)


def scale_of(raw: Floats) -> Scale:
    """The scale of these rows."""
    shares = np.arange(1, CUTS + 1) / (CUTS + 1)
    cuts = np.quantile(raw[:, : len(SCALARS)], shares, axis=0).T.copy()
    # Equal cuts would be one feature several times; those after the first are never passed.
    cuts[:, 1:][cuts[:, 1:] == cuts[:, :-1]] = np.inf
    return Scale(raw.mean(axis=0), np.maximum(raw.std(axis=0), _LEAST_SPREAD), cuts)


class Fitted(msgspec.Struct, frozen=True):
    """Both heads, the scale of their dense features, and the trees; see `DifficultyModel`."""

    weak: Head
    strong: Head
    scale: Scale
    trees: Trees = Trees()
    tool_trees: Trees = Trees()

    def score(self, learning: Learning, local: float) -> Floats:
        """The blended score of every row."""
        design = design_of(learning.seen, self.scale.levels(learning.raw))
        weak, strong = (_chance(head.logits(design)) for head in (self.weak, self.strong))
        grown = Grove(self.trees).sums_of(learning.raw)
        if self.tool_trees.features:
            by_tools = Grove(self.tool_trees).sums_of(learning.tools)
            grown = np.where(learning.with_tools, by_tools, grown)
        return (1 - local) * (1 - weak) + local * (strong - weak + grown)


def calibrate(
    pairs: Sequence[Pair],
    cues: CueReader,
    cold: DifficultyModel,
    step: Callable[[str], None] = lambda stage: None,
) -> Calibrated:
    """Fit a model to `pairs`, oldest first, and compare it with `cold`. `step` hears of progress.

    Raises:
        TooFewRows: there are fewer than `LEAST_ROWS`.
    """
    _enough(len(pairs))
    step("reading prompts")
    return calibrate_features(learn_from(pairs, cues), cold, step)


def calibrate_features(
    learning: Learning, cold: DifficultyModel, step: Callable[[str], None] = lambda stage: None
) -> Calibrated:
    """The same for rows of which only the features are known, oldest first.

    Raises:
        TooFewRows: there are fewer than `LEAST_ROWS`.
    """
    rows = len(learning.seen)
    _enough(rows)
    newest = np.arange(rows) >= rows - rows // 5
    older, latest = learning.of(~newest), learning.of(newest)
    step("choosing the penalty")
    penalty = _best_penalty(older)
    step("judging on the newest fifth")
    local = local_share(older.raw.shape[0])
    trial = fit_all(older, penalty).score(latest, local)
    before = _judged_features(cold, latest)
    step("fitting all rows")
    local = local_share(rows)
    crossed = _crossed(learning, penalty, local)
    slope, offset = fit_line(crossed, _needed(learning))
    model = pack(fit_all(learning, penalty), learning, local, slope, offset)
    return Calibrated(
        model=model,
        rows=rows,
        newest_local=apgr(trial, latest),
        newest_cold=apgr(before, latest),
        crossed=apgr(crossed, learning),
        error=calibration_error(_chance(slope * crossed + offset), _needed(learning)),
    )


def _enough(rows: int) -> None:
    if rows < LEAST_ROWS:
        raise TooFewRows(f"{rows} rows; at least {LEAST_ROWS} are needed")


def _judged_features(model: DifficultyModel, learning: Learning) -> Floats:
    """The difficulty of every row by a model."""
    predictor = Predictor(model)
    assessed = (
        predictor.assess_features(*row)
        for row in zip(learning.seen, learning.raw, learning.tools, strict=True)
    )
    return np.array([one.difficulty for one in assessed])


def cross_validated(learning: Learning) -> Floats:
    """The score of every row by a model that has not seen it, with the penalty that suits best."""
    share = local_share(len(learning.seen))
    return _crossed(learning, _best_penalty(learning), share)


def local_share(rows: int) -> float:
    """How much the gain counts in the score, 0..1, with this many local rows."""
    return rows / (rows + HALF_TRUST)


def learn_from(pairs: Sequence[Pair], cues: CueReader) -> Learning:
    """The features of every pair's prompt."""
    return learn_from_features(
        [
            (
                features_of(pair.prompt, _size_of(pair), cues.read(pair.prompt), pair.tools),
                pair.weak_score,
                pair.strong_score,
            )
            for pair in pairs
        ]
    )


def learn_from_features(rows: Sequence[tuple[Features, float, float]]) -> Learning:
    """Rows of features, the weak answer's score and the strong one's."""
    return Learning(
        [features.seen for features, _, _ in rows],
        np.array([features.dense for features, _, _ in rows]),
        np.array([features.tools for features, _, _ in rows]),
        np.array([weak for _, weak, _ in rows], float),
        np.array([strong for _, _, strong in rows], float),
    )


def judged(model: DifficultyModel, pairs: Sequence[Pair], cues: CueReader) -> list[Assessed]:
    """What a model says of every pair's prompt."""
    predictor = Predictor(model)
    return [
        predictor.assess(pair.prompt, _size_of(pair), cues.read(pair.prompt), pair.tools)
        for pair in pairs
    ]


def _size_of(pair: Pair) -> int:
    """The bytes of a pair's prompt and tools."""
    return len(pair.prompt.encode("utf-8", "replace")) + len(pair.tools)


def fit_all(learning: Learning, penalty: Penalty) -> Fitted:
    """Fit both heads, and trees that tell the gain, with tools others than without."""
    heads = fit_both(learning, penalty)
    gain, apart = learning.strong - learning.weak, learning.with_tools
    rest = ~apart
    if apart.sum() < LEAST_ROWS:
        return msgspec.structs.replace(heads, trees=grow(learning.raw, gain))
    if rest.sum() < LEAST_ROWS:
        rest = np.ones(len(gain), np.bool_)
    return msgspec.structs.replace(
        heads,
        trees=grow(learning.raw[rest], gain[rest]),
        tool_trees=grow(learning.tools[apart], gain[apart], TOOL_TREES),
    )


def fit_both(learning: Learning, penalty: Penalty) -> Fitted:
    """Fit P(weak adequate) and P(strong adequate)."""
    scale = scale_of(learning.raw)
    design = design_of(learning.seen, scale.levels(learning.raw))
    weak, strong = (
        fit_head(design, target, penalty) for target in (learning.weak, learning.strong)
    )
    return Fitted(weak, strong, scale)


def pack(
    fitted: Fitted, learning: Learning, local: float, slope: float, offset: float
) -> DifficultyModel:
    """The model as it is saved."""
    return DifficultyModel(
        features=DENSE,
        means=tuple(fitted.scale.means.tolist()),
        spreads=tuple(fitted.scale.spreads.tolist()),
        cuts=tuple(fitted.scale.cuts.ravel().tolist()),
        weak=pack_head(fitted.weak.words, fitted.weak.dense, fitted.weak.intercept),
        strong=pack_head(fitted.strong.words, fitted.strong.dense, fitted.strong.intercept),
        anchor=0.0,
        bound=1e9,
        local=local,
        slope=slope,
        offset=offset,
        known=known_words(learning.seen),
        trees=fitted.trees,
        tool_trees=fitted.tool_trees,
        tool_features=TOOL_SCALARS,
        evidence=len(learning.seen),
    )


def known_words(seen: Sequence[Seen]) -> bytes:
    """A bit for each bucket that a word of these prompts falls into."""
    bits = np.zeros(BUCKETS, np.uint8)
    for one in seen:
        bits[one.singles] = 1
    return np.packbits(bits).tobytes()


def apgr(score: Floats, learning: Learning) -> float | None:
    """APGR, or None where the strong model is no better over these rows."""
    try:
        return area(quality_curve(score, learning.weak, learning.strong))
    except NoGap:
        return None


def _best_penalty(learning: Learning) -> Penalty:
    share = local_share(len(learning.seen))
    # The trees take no part here: they would be the same for every penalty.
    found = [
        apgr(_crossed(learning, penalty, share, fit_both), learning) or 0.0 for penalty in PENALTIES
    ]
    best = max(range(len(found)), key=found.__getitem__)
    clear = found[best] > found[0] + _CLEARLY / math.sqrt(len(learning.seen))
    return PENALTIES[best if clear else 0]


def _crossed(
    learning: Learning,
    penalty: Penalty,
    local: float,
    fit: Callable[[Learning, Penalty], Fitted] = fit_all,
) -> Floats:
    """The score of every row by a model that has not seen it."""
    fold = np.arange(len(learning.seen)) % _FOLDS
    scores = np.zeros(len(fold))
    for number in range(_FOLDS):
        held = fold == number
        scores[held] = fit(learning.of(~held), penalty).score(learning.of(held), local)
    return scores


def _needed(learning: Learning) -> Floats:
    """Of every row: was the weak answer inadequate where the strong one was adequate?"""
    return np.asarray(learning.strong * (1 - learning.weak))


def _chance(logits: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))
