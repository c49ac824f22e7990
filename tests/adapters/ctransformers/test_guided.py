"""Guided generation ends in a whole document within every budget that allows one."""

from __future__ import annotations

import json
from collections.abc import Sequence

import jsonschema
import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ctransformers.generation import Progress, Run
from adapters.ctransformers.guided import Vocabulary, answer_json
from adapters.ctransformers.json_prefix import Grammar
from adapters.ctransformers.json_shape import compile_schema
from adapters.ctransformers.sampling import Sampling

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "size": {"type": "integer", "minimum": -5, "maximum": 1200},
        "share": {"type": "number", "minimum": 0.25, "maximum": 0.75},
        "kind": {"enum": ["a", "ab", None, "größe"]},
        "inner": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        "list": {"type": "array", "items": {"$ref": "#"}, "minItems": 0},
    },
    "required": ["name", "size", "inner"],
    "additionalProperties": False,
}
#: One token per byte, a few longer ones, and one that ends the answer.
PIECES = [bytes((byte,)) for byte in range(256)] + [
    b'{"',
    b'":',
    b'", "',
    b"}}",
    b" a",
    b"\xc3",
    b"",
]
END = len(PIECES) - 1
GRAMMAR = Grammar(compile_schema(SCHEMA))
SMALLEST = len(GRAMMAR.start().closing())


class RandomModel:
    """A model without weights: its scores are chance."""

    room = 10_000

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def tokenize(self, text: str) -> list[int]:
        """One token per byte."""
        return list(text.encode())

    def piece(self, token: int) -> bytes:
        """The bytes of a token."""
        return PIECES[token]

    def ends(self, token: int) -> bool:
        """Whether the token ends an answer."""
        return token == END

    def rewind(self, past: int) -> None:
        """Nothing is remembered."""

    def evaluate(self, tokens: Sequence[int]) -> None:
        """Nothing is computed."""

    def logits(self) -> npt.NDArray[np.float32]:
        """Chance."""
        return self._rng.normal(size=len(PIECES)).astype(np.float32)


@given(seed=st.integers(0, 2**32), extra=st.integers(0, 150), hot=st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_budget_that_allows_a_document_gets_a_whole_one(seed: int, extra: int, hot: bool) -> None:
    """Whatever the model prefers, the answer is valid and within its budget."""
    run = Run(model=RandomModel(seed), progress=Progress(), cancelled=lambda: False)
    sampling = Sampling(temperature=1.0 if hot else 0.0, seed=seed)
    shown: list[str] = []

    finished = answer_json(
        run, Vocabulary(PIECES, [END]), GRAMMAR, sampling, SMALLEST + extra, 0, shown.append
    )

    assert finished.reason == "stop"
    assert finished.tokens <= SMALLEST + extra
    jsonschema.validate(json.loads("".join(shown)), SCHEMA)


def test_a_budget_below_the_smallest_document_is_used_and_told() -> None:
    """Too small a cap ends with 'length', like any cut answer."""
    run = Run(model=RandomModel(1), progress=Progress(), cancelled=lambda: False)
    shown: list[str] = []

    finished = answer_json(run, Vocabulary(PIECES, [END]), GRAMMAR, Sampling(), 4, 0, shown.append)

    assert (finished.reason, finished.tokens) == ("length", 4)
