"""The table of vendors' formats: how many there are, and that each is found through its anchor."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from gateway.classify.classifier import Classifier
from gateway.classify.detectors.vendor_token_formats import FORMATS, INNER_FORMATS
from gateway.core.findings import SensitivityRules

SHAPES = [shape for _, shape in FORMATS] + [shape for _, shape, _ in INNER_FORMATS]


def test_knows_more_than_two_hundred_formats():
    """The promise is at least 200 distinct published formats."""
    assert len(set(SHAPES)) >= 200


@pytest.mark.parametrize("shape", sorted(set(SHAPES)))
def test_finds_every_format(shape: str, classifier: Classifier, rules: SensitivityRules):
    """A string made from the shape is found in a sentence, so its anchor fits its shape."""
    tokens = [sample(shape, random.Random(seed)) for seed in range(4)]

    missed = [t for t in tokens if not _found(f"we use {t} here", t, classifier, rules)]

    assert not missed


def _found(text: str, token: str, classifier: Classifier, rules: SensitivityRules) -> bool:
    findings = classifier.judge_text(text, rules).findings
    start = text.index(token)
    return any(
        f.type in ("credential", "private_key") and f.start <= start + 8 and f.end > start + 8
        for f in findings
    )


def sample(shape: str, chance: random.Random) -> str:
    """A string that matches a regular expression, from its parsed form."""
    return "".join(_parts(re._parser.parse(shape), chance))  # type: ignore[attr-defined]


def _parts(parsed: Any, chance: random.Random) -> list[str]:
    out: list[str] = []
    for op, argument in parsed:
        name = str(op)
        if name == "LITERAL":
            out.append(chr(argument))
        elif name == "IN":
            out.append(_one_of(argument, chance))
        elif name in ("MAX_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, inner = argument
            for _ in range(chance.randint(low, min(high, low + 6))):
                out += _parts(inner, chance)
        elif name == "SUBPATTERN":
            out += _parts(argument[3], chance)
        elif name == "BRANCH":
            out += _parts(chance.choice(argument[1]), chance)
        elif name not in ("ASSERT", "ASSERT_NOT", "AT"):
            raise AssertionError(f"the sampler does not know {name}")
    return out


def _one_of(choices: Any, chance: random.Random) -> str:
    options: list[str] = []
    for op, argument in choices:
        name = str(op)
        if name == "LITERAL":
            options.append(chr(argument))
        elif name == "RANGE":
            options += [chr(code) for code in range(argument[0], argument[1] + 1)]
        elif name == "CATEGORY" and str(argument) == "CATEGORY_DIGIT":
            options += list("0123456789")
        elif name == "CATEGORY" and str(argument) == "CATEGORY_WORD":
            options += list("abcdefghijklmnopqrstuvwxyz0123456789")
        else:
            raise AssertionError(f"the sampler does not know {name} {argument}")
    return chance.choice(options)
