"""How likely it is that the self-hosted baseline's answer would be inadequate.

A hand rule over cheap features of the prompt, calibrated to give easy requests less than 0.3 and
hard ones more than 0.6.
"""

from __future__ import annotations

import math
import re

from gateway.core.request import ChatRequest

_HARD = re.compile(
    r"\bprove\b|\bproof\b|\btheorem\b|\blemma\b|\bderive\b|\bolympiad\b|\bcontinuous function|\bstep[- ]by[- ]step\b|"
    r"\bdeadlock|\brace condition|\bconcurren|\bthread[- ]safe|\bmemory leak|\bsegfault|\bdebug\b|\boptimi[sz]e\b|"
    r"\banaly[sz]e\b|\bcompare and contrast\b|\btrade-?offs?\b|\barchitect|\bdesign (?:a|an|the)\b|\bimplement\b|"
    r"\bcomplexity\b|\basymptotic|\binvariant|\bdistributed\b|\bconsensus\b|\\frac|\\sum|\\int|\bmodulo\b|"
    r"\bhow many (?:ordered|positive|distinct|ways)|\bfind all\b|\bgiven that\b|\bjustify\b|\brigorous|\bcritically\b|"
    r"\bcritique\b|\bpolynomial|\beigenvalue|\bdiophantine|\bcombinator|\bstrategy\b|\bin depth\b|\bcomprehensive\b"
)
_EASY = re.compile(
    r"^\s*(?:hi|hello|hey|thanks|thank you|good (?:morning|evening|afternoon)|bye|yes|no|ok(?:ay)?)\b|"
    r"^\s*translate\b|^\s*what(?:'s| is) the (?:capital|time|weather|date|currency|population)\b|^\s*define\b|"
    r"^\s*spell\b|\bsynonym|^\s*who (?:is|was|wrote|painted|invented)\b|^\s*when (?:is|was|did)\b|\bthank\b|"
    r"^\s*(?:rephrase|reword|fix the (?:spelling|grammar)|proofread)\b|^\s*what (?:colou?r|day)\b"
)


class Judge:
    """The difficulty model. Built by `load_judge`."""

    def difficulty(self, request: ChatRequest) -> float:
        """Probability, 0..1, for the request's prompt in its conversation."""
        return self.difficulty_of_text(request.prompt, request.size)

    def difficulty_of_text(self, prompt: str, size: int) -> float:
        """Probability, 0..1, for a prompt inside a body of so many bytes."""
        text = (prompt if len(prompt) <= 6000 else prompt[:4000] + prompt[-2000:]).lower()
        words = len(text.split())
        hard = len(set(_HARD.findall(text)))
        easy = _EASY.search(text) is not None
        signs = sum(map(text.count, ("$", "\\", "=", "^", "{")))
        score = -1.6 + 0.55 * math.log1p(words / 12) + 1.05 * min(hard, 4) + 0.12 * min(signs, 12)
        score += 0.25 * math.log1p(size / 8000)
        if easy and hard == 0:
            score -= 1.2
        return round(1 / (1 + math.exp(-score)), 4)


def load_judge() -> Judge:
    """Build the model."""
    return Judge()
