"""Which tokenizer a model reads with, and what is known of those whose vocabulary is not public.

Families and what stands behind their figures:

    o200k_base, cl100k_base   counted with the vocabulary itself; without it, a token a byte at most
    llama3                    never more than cl100k_base: its first 100,256 merges are that
                              vocabulary's in the same order, pieces are cut alike, and each of its
                              further merges makes one token fewer
    claude, llama2, mistral,  proved: a token a byte, which no byte-level tokenizer passes, and one
    unknown                   for each text. Calibrated: a weighted sum of the o200k_base count and
                              of what the other vocabularies are worse at

The weights were fitted by `ops/training/token_families.py`; what was measured is in
`ops/docs/money.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Protocol, TypeVar

import msgspec

_T = TypeVar("_T")

O200K, CL100K, UNKNOWN = "o200k_base", "cl100k_base", "unknown"
#: More tokens than any one image costs under the formulas that vendors publish: gpt-4o-mini's is
#: the dearest, 2,833 and 5,667 for each of at most 8 tiles.
DEAREST_IMAGE = 2_833 + 8 * 5_667


class Vocabulary(Protocol):
    """Counts tokens; built at the edge of files that set-up made."""

    def count(self, text: str) -> int:
        """The number of tokens of a text, or more where an exact count would take too long."""
        ...


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens for each token of o200k_base and, on top, for what a family reads less well.

    `digit`, `accented` (Latin letters with marks), `greek_cyrillic` and `eastern` (Han, Kana,
    Hangul) are tokens a character; `other_byte` a byte of any other script or symbol, and
    `repeated` a byte that is like the two before it; `always` stands for each text.
    """

    token: float
    digit: float = 0.0
    accented: float = 0.0
    greek_cyrillic: float = 0.0
    eastern: float = 0.0
    other_byte: float = 0.0
    repeated: float = 0.0
    always: float = 0.0

    def times(self, factor: float) -> Weights:
        """Every weight times a factor."""
        return Weights(**{name: getattr(self, name) * factor for name in self.__struct_fields__})


class TokenFamily(msgspec.Struct, frozen=True, kw_only=True):
    """One tokenizer, or several that are taken for one.

    `vocabulary` is the one that bounds its counts, empty where none is public; the weights serve
    where that one was not counted with: for the likely number, and for a bound that is calibrated.
    """

    name: str
    vocabulary: str = ""
    likely: Weights = Weights(token=1.0)
    most: Weights = Weights(token=1.0)


#: Above every count of Claude 2, Llama 2, 3 and 4, Mistral (SentencePiece and Tekken) in texts of
#: the evaluation sets, of code and of user interfaces in 98 languages.
_ENVELOPE = Weights(
    token=2.0,
    digit=0.5,
    accented=1.0,
    greek_cyrillic=0.75,
    eastern=0.2,
    other_byte=0.8,
    repeated=0.5,
    always=8.0,
)
#: Newer Claude models read the same text as about 30 % more tokens than those before them
#: (https://platform.claude.com/docs/en/build-with-claude/token-counting); ours is the published
#: vocabulary of Claude 2, times this.
_NEWER_CLAUDE = 1.3

FAMILIES: Mapping[str, TokenFamily] = MappingProxyType(
    {
        one.name: one
        for one in (
            TokenFamily(name=O200K, vocabulary=O200K),
            TokenFamily(
                name=CL100K,
                vocabulary=CL100K,
                likely=Weights(
                    token=1.01, accented=0.8, greek_cyrillic=0.26, eastern=0.24, other_byte=0.25
                ),
                most=_ENVELOPE,
            ),
            TokenFamily(
                name="llama3",
                vocabulary=CL100K,
                likely=Weights(token=1.02, accented=0.28, greek_cyrillic=0.07, other_byte=0.09),
                most=_ENVELOPE,
            ),
            TokenFamily(
                name="claude",
                likely=Weights(
                    token=1.03, accented=1.4, greek_cyrillic=0.35, eastern=0.18, other_byte=0.24
                ).times(_NEWER_CLAUDE),
                most=_ENVELOPE.times(_NEWER_CLAUDE),
            ),
            TokenFamily(
                name="llama2",
                likely=Weights(
                    token=1.12,
                    digit=0.53,
                    accented=1.1,
                    greek_cyrillic=0.16,
                    eastern=0.33,
                    other_byte=0.31,
                ),
                most=_ENVELOPE,
            ),
            TokenFamily(
                name="mistral",
                likely=Weights(
                    token=1.02,
                    digit=0.57,
                    accented=0.16,
                    greek_cyrillic=0.04,
                    eastern=0.05,
                    other_byte=0.04,
                ),
                most=_ENVELOPE,
            ),
            TokenFamily(
                name=UNKNOWN,
                likely=Weights(
                    token=1.05, digit=0.2, accented=0.5, greek_cyrillic=0.1, eastern=0.1,
                    other_byte=0.15,
                ),
                most=_ENVELOPE,
            ),
        )
    }
)  # fmt: skip

#: Model names, `*` for anything, and their families; of several that fit the longest counts. The
#: names of OpenAI's models are those of tiktoken's own table.
_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "gpt-3.5*": CL100K,
        "gpt-35-turbo*": CL100K,
        "gpt-4": CL100K,
        "gpt-4-*": CL100K,
        "text-embedding-*": CL100K,
        "gpt-4o*": O200K,
        "chatgpt-4o*": O200K,
        "gpt-4.1*": O200K,
        "gpt-4.5*": O200K,
        "gpt-5*": O200K,
        "gpt-6*": O200K,
        "*gpt-oss*": O200K,
        "o1*": O200K,
        "o3*": O200K,
        "o4-*": O200K,
        "*claude*": "claude",
        "*llama-3*": "llama3",
        "*llama3*": "llama3",
        "*llama-2*": "llama2",
        "*llama2*": "llama2",
        "*codellama*": "llama2",
        "*vicuna*": "llama2",
        "*orca-2*": "llama2",
        "*mistral*": "mistral",
        "*mixtral*": "llama2",
        "*mistral-7b*": "llama2",
        "mistral:7b*": "llama2",
        "*ministral*": "mistral",
        "*codestral*": "mistral",
    }
)
#: The most tokens of one image, by model name. OpenAI: 85 + 170 for each of at most 8 tiles
#: (gpt-4o, gpt-4.1), patches up to 1,536 times 2.46 (minis), https://platform.openai.com/docs/
#: guides/images-vision; Anthropic: 4,784 at the highest resolution,
#: https://platform.claude.com/docs/en/build-with-claude/vision. Rounded up.
_IMAGES: Mapping[str, int] = MappingProxyType(
    {
        "gpt-4o*": 1_500,
        "gpt-4o-mini*": DEAREST_IMAGE,
        "gpt-4.1*": 4_000,
        "gpt-5*": 4_000,
        "*claude*": 5_000,
    }
)


def vocabularies_for(families: Iterable[str]) -> frozenset[str]:
    """The public vocabularies that counting for these families needs; o200k_base is always one."""
    own = (FAMILIES[name].vocabulary for name in families if name in FAMILIES)
    return frozenset({O200K, *own} - {""})


def family_of(model: str) -> str:
    """The name of the family that a model reads with, `unknown` where its name does not tell."""
    return _longest(model, _NAMES) or UNKNOWN


def image_tokens_of(model: str) -> int:
    """The most tokens that one image costs with a model."""
    return _longest(model, _IMAGES) or DEAREST_IMAGE


def _longest(model: str, table: Mapping[str, _T]) -> _T | None:
    name = model.lower()
    fitting = [pattern for pattern in table if fnmatchcase(name, pattern)]
    return table[max(fitting, key=len)] if fitting else None
