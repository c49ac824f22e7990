"""Difficulty by hand: a logistic over the cues of a prompt and its length.

What the learned model starts from, and what is left where a prompt is unlike any it has seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from gateway.classify.cues import Cue
from gateway.classify.difficulty_features import TOOLS_MARK

#: Log-odds of a short request without any cue.
BASE = -1.45
#: Log-odds for each doubling of the prompt over eight words, up to `LONGEST` words.
PER_DOUBLING = 0.24
LONGEST = 2_000
#: Log-odds for each doubling of the rest of the conversation over a kilobyte.
CONTEXT_PER_DOUBLING = 0.05
#: Log-odds for clauses (each e-fold of commas) and for sentences longer than usual (each e-fold of
#: words over `USUAL`): on every public set, prompts of more conditions are failed more often.
PER_COMMAS, PER_SENTENCE, USUAL = 0.3, 0.3, 9
#: The most that cues can add in all: more signs of the same thing say little new.
MOST_FROM_CUES = 3.4


#: From the first weight of cues on, hard or easy, there is less room for what was learned, and at
#: the last none: such prompts are rare in public data, and people know how hard they are.
TELLING_HARD, TELLING_EASY = (0.6, 1.5), (0.2, 0.8)
#: A prompt of fewer words says little to the learned part; from this many on it is heard in full.
HEARD = 24


class Rule(NamedTuple):
    """What the rule says: log-odds of difficulty, and the room (0..1) for what was learned."""

    log_odds: float
    room: float


def by_rule(prompt: str, size: int, cues: Iterable[Cue]) -> Rule:
    """Judge a prompt with these cues in a body of `size` bytes."""
    # Tools that are written out in the text make it longer, not harder.
    ask = prompt.partition(TOOLS_MARK)[0]
    lines = ask.count("\n")
    words = min(ask.count(" ") + lines + 1, LONGEST)
    score = BASE + PER_DOUBLING * max(0.0, math.log2(words / 8))
    sentences = 1 + ask.count(". ") + ask.count("? ") + lines
    score += PER_COMMAS * math.log1p(min(ask.count(","), LONGEST))
    score += PER_SENTENCE * max(0.0, math.log(words / (sentences * USUAL)))
    score += CONTEXT_PER_DOUBLING * max(0.0, math.log2((size + 1) / 1024))
    hard = easy = 0.0
    for cue in cues:
        if cue.weight > 0:
            hard += cue.weight
        else:
            easy -= cue.weight
    # An easy opening says nothing about a request that then asks for a proof.
    score += min(hard, MOST_FROM_CUES) - (easy if hard < 1.0 else 0.0)
    told = max(_share(hard, *TELLING_HARD), _share(easy, *TELLING_EASY))
    return Rule(score, (1 - told) * min(1.0, words / HEARD))


def _share(weight: float, first: float, last: float) -> float:
    return min(1.0, max(0.0, (weight - first) / (last - first)))
