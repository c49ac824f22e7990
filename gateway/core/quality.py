"""How good a deployment's answer is likely to be, from public benchmarks and the difficulty.

A request's difficulty is the probability that the baseline's answer would be inadequate where a
frontier model's would be adequate. A model's benchmark score says where it stands between those
two, so its own probability lies between theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec


class Skills(msgspec.Struct, frozen=True, kw_only=True):
    """A model's scores as shares, 0..1; None where nobody published one.

    `knowledge` is MMLU, `code` HumanEval (pass@1), `maths` GSM8K.
    """

    knowledge: float | None = None
    code: float | None = None
    maths: float | None = None


#: The baseline of the difficulty: Llama 3 8B Instruct, as its model card gives it (MMLU 5-shot,
#: HumanEval 0-shot, GSM8K 8-shot), https://github.com/meta-llama/llama3/blob/main/MODEL_CARD.md.
BASELINE = Skills(knowledge=0.684, code=0.622, maths=0.796)
#: The frontier: GPT-4o as "The Llama 3 Herd of Models" (arXiv 2407.21783, table 2) gives it (MMLU
#: 5-shot, HumanEval 0-shot, GSM8K 8-shot).
FRONTIER = Skills(knowledge=0.891, code=0.902, maths=0.961)

#: Which benchmark speaks for a task; any other task is spoken for by MMLU.
BENCHMARKS: Mapping[str, str] = MappingProxyType({"code": "code", "maths": "maths"})


def predicted_quality(
    skills: Skills, difficulty: float, task: str, *, self_hosted: bool = False
) -> float:
    """The probability, 0..1, that a model's answer is adequate where a frontier model's is.

    With the model's place `p` between baseline (0) and frontier (1) on the task's benchmark,
    `(score - baseline) / (frontier - baseline)` within -1..1, the quality is
    `1 - difficulty * (1 - p)`, and not below 0. So the baseline's is `1 - difficulty`, a frontier
    model's is 1, and the easier the request, the less the model matters.

    Args:
        skills: the model's scores. A benchmark that is missing is stood in for by the mean place
            on the others.
        difficulty: of the request, 0..1.
        task: of the request, as the classifier names it.
        self_hosted: a model without any score counts as the baseline if it is self-hosted, and
            else as a frontier model, which is how the difficulty was learned.
    """
    place = _place(skills, BENCHMARKS.get(task, "knowledge"))
    if place is None:
        place = 0.0 if self_hosted else 1.0
    return max(0.0, 1.0 - difficulty * (1.0 - place))


def _place(skills: Skills, benchmark: str) -> float | None:
    asked = _place_on(skills, benchmark)
    if asked is not None:
        return asked
    others = [_place_on(skills, name) for name in Skills.__struct_fields__ if name != benchmark]
    known = [place for place in others if place is not None]
    return sum(known) / len(known) if known else None


def _place_on(skills: Skills, benchmark: str) -> float | None:
    score = getattr(skills, benchmark)
    if score is None:
        return None
    low, high = getattr(BASELINE, benchmark), getattr(FRONTIER, benchmark)
    place: float = (score - low) / (high - low)
    return max(-1.0, min(1.0, place))
