"""Turns logged pairs into a difficulty model of one's own, if that is better than the cold start.

The rows are in the order of their age. The newest fifth decides whether the model is adopted;
the older ones choose the penalty, and how much of the hand rule is added, by cross-validation;
what is saved is fitted to all rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from gateway.classify.cues import CueReader
from gateway.classify.difficulty import (
    DENSE,
    Assessed,
    DifficultyModel,
    Predictor,
    by_rule_alone,
    pack_head,
    rule_of,
)
from gateway.classify.difficulty_features import BUCKETS, Floats, Seen
from gateway.classify.difficulty_fitting import (
    LEAST_ROWS,
    Fitted,
    Learning,
    fit_all,
    fit_both,
)
from gateway.classify.difficulty_kept import Features, features_of
from gateway.classify.difficulty_tools import TOOL_SCALARS
from gateway.classify.difficulty_training import (
    Penalty,
    chance_of,
    fit_line,
)
from gateway.classify.routing_curve import NoGap, area, calibration_error, quality_curve

#: Rows at which local gain and the weak model's failure count the same in the score.
HALF_TRUST = 30
#: The first one is taken unless another is clearly better.
PENALTIES = (
    Penalty(2.0, 2000.0),
    Penalty(1.0, 300.0),
    Penalty(5.0, 1000.0),
    Penalty(10.0, 3000.0, rare=True),
)
#: What each of the hand rule's log-odds adds to the score, from none to more than all the rest.
RULE_SHARES = (0.0, 0.2, 0.4, 0.8, 1.6, 3.2)
#: Clearly better: by so much APGR, over the root of the rows.
_CLEARLY = 0.3
_FOLDS = 4


class Pair(msgspec.Struct, frozen=True):
    """A prompt, and how good (0..1) the weak and the strong model's answers to it were.

    `tools` is the JSON of the field of that name in the request, if there was one.
    """

    prompt: str
    weak_score: float
    strong_score: float
    tools: bytes = b""


class Choice(msgspec.Struct, frozen=True):
    """How hard weights are held, and what the hand rule counts beside what they say."""

    penalty: Penalty
    rule: float = 0.0


class TooFewRows(ValueError):
    """There are not enough rows to learn from."""


class Calibrated(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted model and what speaks for it.

    `newest_local` and `newest_cold` are APGR on the newest fifth, of models that had not learned
    from the row in question, and the former (unless that is too little) from none of that fifth.
    `crossed` is APGR over all rows by cross-validation, `error` the calibration error of the same.
    None: the strong model is no better there, so there is no curve. `learned` is how many rows of
    the newest fifth the cold start has learned from: what it knows of them says nothing, so it is
    judged on them by its hand rule.
    """

    model: DifficultyModel
    rows: int
    newest_local: float | None
    newest_cold: float | None
    crossed: float | None
    error: float
    learned: int

    @property
    def better(self) -> bool:
        """Whether the newest fifth speaks for the model, or at least not against it."""
        if self.newest_local is None or self.newest_cold is None:
            return False
        return self.newest_local >= self.newest_cold


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
    choice = _best_choice(older)
    step("judging on the newest fifth")
    trial = fit_all(older, choice.penalty).score(latest, local_share(older.raw.shape[0]))
    before, learned = _judged_by_strangers(cold, latest)
    step("fitting all rows")
    local = local_share(rows)
    without_rule = _crossed(learning, choice.penalty, local)
    choice, after = _cautious(choice, (trial, without_rule[newest]), latest, before)
    crossed = without_rule + choice.rule * learning.rule
    line = fit_line(crossed, _needed(learning))
    model = pack(fit_all(learning, choice.penalty), learning, Blend(local, choice.rule, line))
    return Calibrated(
        model=model,
        rows=rows,
        newest_local=after,
        newest_cold=before,
        crossed=apgr(crossed, learning),
        error=calibration_error(chance_of(line[0] * crossed + line[1]), _needed(learning)),
        learned=learned,
    )


def _enough(rows: int) -> None:
    if rows < LEAST_ROWS:
        raise TooFewRows(f"{rows} rows; at least {LEAST_ROWS} are needed")


def _judged_by_strangers(model: DifficultyModel, learning: Learning) -> tuple[float | None, int]:
    """APGR of a model as if it had learned from none of the rows, and how many it has."""
    predictor = Predictor(model)
    difficulty = []
    learned = 0
    for seen, dense, tools in zip(learning.seen, learning.raw, learning.tools, strict=True):
        known = predictor.learned_from(seen)
        learned += known
        told = (
            by_rule_alone(rule_of(dense))
            if known
            else predictor.assess_features(seen, dense, tools)
        )
        difficulty.append(told.difficulty)
    return apgr(np.array(difficulty), learning), learned


def _cautious(
    choice: Choice, scores: Sequence[Floats], latest: Learning, before: float | None
) -> tuple[Choice, float | None]:
    """The choice, or one with more of the hand rule where all scores are worse than `before`.

    Also the APGR that speaks for it. The first score of the `latest` rows is by a model of the
    older ones, the second by models that have learned from other latest ones too: where these are
    of a new kind, that is what the model will know of them. Few rows tell little by chance; with
    more of the rule a model is less often worse than that.
    """
    first = apgr(scores[0] + choice.rule * latest.rule, latest)
    for rule in RULE_SHARES[RULE_SHARES.index(choice.rule) :]:
        for score in scores:
            found = apgr(score + rule * latest.rule, latest)
            if found is not None and before is not None and found >= before:
                return Choice(choice.penalty, rule), found
    return choice, first


def cross_validated(learning: Learning) -> Floats:
    """The score of every row by a model that has not seen it, with the choice that suits best."""
    choice = _best_choice(learning)
    crossed = _crossed(learning, choice.penalty, local_share(len(learning.seen)))
    return crossed + choice.rule * learning.rule


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


class Blend(msgspec.Struct, frozen=True):
    """What the parts of a score count, and what makes it log-odds; see `DifficultyModel`."""

    local: float
    rule: float
    line: tuple[float, float]


def pack(fitted: Fitted, learning: Learning, blend: Blend) -> DifficultyModel:
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
        local=blend.local,
        rule_share=blend.rule,
        slope=blend.line[0],
        offset=blend.line[1],
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


def _best_choice(learning: Learning) -> Choice:
    share, rows = local_share(len(learning.seen)), len(learning.seen)
    # The trees take no part here: they would be the same for every penalty.
    scores = [_crossed(learning, penalty, share, fit_both) for penalty in PENALTIES]
    found = [apgr(score, learning) or 0.0 for score in scores]
    best = max(range(len(found)), key=found.__getitem__)
    if found[best] <= found[0] + _CLEARLY / math.sqrt(rows):
        best = 0
    with_rule = [apgr(scores[best] + rule * learning.rule, learning) or 0.0 for rule in RULE_SHARES]
    return Choice(PENALTIES[best], RULE_SHARES[with_rule.index(max(with_rule))])


def _crossed(
    learning: Learning,
    penalty: Penalty,
    local: float,
    fit: Callable[[Learning, Penalty], Fitted] = fit_all,
) -> Floats:
    """The score of every row by a model that has not seen it, without the hand rule's share."""
    fold = np.arange(len(learning.seen)) % _FOLDS
    scores = np.zeros(len(fold))
    for number in range(_FOLDS):
        held = fold == number
        fitted = fit(learning.of(~held), penalty)
        scores[held] = fitted.score(learning.of(held), local)
    return scores


def _needed(learning: Learning) -> Floats:
    """Of every row: was the weak answer inadequate where the strong one was adequate?"""
    return np.asarray(learning.strong * (1 - learning.weak))
