"""How likely it is that the self-hosted baseline's answer would be inadequate.

A logistic over the cues of the prompt and its length. The weights are set by hand and the scale
is checked against routing data by `ops/training/difficulty.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from gateway.classify.cues import Cue

#: Log-odds of a short request without any cue.
BASE = -1.45
#: Log-odds for each doubling of the prompt over eight words, up to `LONGEST` words.
PER_DOUBLING = 0.24
LONGEST = 2_000
#: Log-odds for each doubling of the rest of the conversation over a kilobyte.
CONTEXT_PER_DOUBLING = 0.05
#: The most that cues can add in all: more signs of the same thing say little new.
MOST_FROM_CUES = 3.4


def difficulty(prompt: str, size: int, cues: Iterable[Cue]) -> float:
    """Probability, 0..1, for a prompt with these cues in a body of `size` bytes."""
    words = min(prompt.count(" ") + prompt.count("\n") + 1, LONGEST)
    score = BASE + PER_DOUBLING * max(0.0, math.log2(words / 8))
    score += CONTEXT_PER_DOUBLING * max(0.0, math.log2((size + 1) / 1024))
    hard = sum(cue.weight for cue in cues if cue.weight > 0)
    easy = sum(cue.weight for cue in cues if cue.weight < 0)
    # An easy opening says nothing about a request that then asks for a proof.
    score += min(hard, MOST_FROM_CUES) + (easy if hard < 1.0 else 0.0)
    return round(1 / (1 + math.exp(-score)), 4)
