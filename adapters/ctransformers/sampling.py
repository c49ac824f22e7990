"""Chooses the next token from the model's scores; pure but for the random source it is given.

The library's own sampler is not used: it starts its random numbers anew for every token when a
seed is set, and it knows no frequency or presence penalty and no bias.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]

#: How many of the latest tokens the repetition penalty looks at.
RECENT_TOKENS = 64
#: Temperatures below this are taken as zero: dividing by them would overflow.
_COLDEST = 1e-3


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How tokens are chosen; the fields mean what they mean in the OpenAI chat wire.

    `top_k` 0 and `top_p` 1 do not narrow; `repetition_penalty` 1 does nothing.
    """

    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 40
    repetition_penalty: float = 1.1
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    bias: tuple[tuple[int, float], ...] = ()
    seed: int | None = None


def choose(
    scores: Scores, answered: Sequence[int], sampling: Sampling, rng: np.random.Generator
) -> int:
    """The next token.

    Args:
        scores: one logit per token of the vocabulary.
        answered: the tokens of the answer so far.
        sampling: how to choose.
        rng: where chance comes from.
    """
    adjusted = _adjusted(scores, answered, sampling)
    if sampling.temperature < _COLDEST:
        return int(np.argmax(adjusted))
    return int(rng.choice(*_likely(adjusted, sampling)))


def ranked(
    scores: Scores,
    answered: Sequence[int],
    sampling: Sampling,
    rng: np.random.Generator,
    among: npt.NDArray[np.intp],
) -> Iterator[int]:
    """The tokens of `among`, best first, drawn so that any rule gets a fair sample.

    The first token that some rule allows is distributed as if only allowed tokens existed.
    Adding Gumbel noise to the scaled scores and sorting is drawing without replacement; `top_k`
    and `top_p` do not apply, since the rule narrows already.
    """
    adjusted = _adjusted(scores, answered, sampling)[among].astype(np.float64)
    if sampling.temperature >= _COLDEST:
        adjusted = adjusted / sampling.temperature + rng.gumbel(size=adjusted.shape)
    for place in np.argsort(-adjusted, kind="stable"):
        yield int(among[place])


def _adjusted(scores: Scores, answered: Sequence[int], sampling: Sampling) -> Scores:
    adjusted = np.nan_to_num(scores, nan=-1e9, posinf=1e9, neginf=-1e9)
    for token, bias in sampling.bias:
        if 0 <= token < len(adjusted):
            adjusted[token] += bias
    if not answered:
        return adjusted
    if sampling.repetition_penalty != 1.0:
        recent = np.unique(np.asarray(answered[-RECENT_TOKENS:]))
        seen = adjusted[recent]
        penalty = np.float32(sampling.repetition_penalty)
        adjusted[recent] = np.where(seen > 0, seen / penalty, seen * penalty)
    if sampling.frequency_penalty or sampling.presence_penalty:
        tokens, counts = np.unique(np.asarray(answered), return_counts=True)
        adjusted[tokens] -= (
            counts * sampling.frequency_penalty + sampling.presence_penalty
        ).astype(np.float32)
    return adjusted


def _likely(
    adjusted: Scores, sampling: Sampling
) -> tuple[npt.NDArray[np.intp], None, bool, npt.NDArray[np.float64]]:
    """Arguments of `Generator.choice`: the tokens that are left and their probabilities."""
    size = len(adjusted)
    keep = min(sampling.top_k, size) if sampling.top_k > 0 else size
    tokens = np.argpartition(-adjusted, keep - 1)[:keep] if keep < size else np.arange(size)
    tokens = tokens[np.argsort(-adjusted[tokens], kind="stable")]
    scaled = adjusted[tokens].astype(np.float64) / sampling.temperature
    weights = np.exp(scaled - scaled.max())
    weights /= weights.sum()
    if sampling.top_p < 1.0:
        # Enough tokens to reach top_p, and always at least one.
        kept = int(np.searchsorted(np.cumsum(weights), sampling.top_p)) + 1
        tokens, weights = tokens[:kept], weights[:kept]
        weights /= weights.sum()
    return tokens, None, True, weights
