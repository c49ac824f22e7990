"""How many tokens a request has: the likely number, and a bound that is never passed.

The likely number is a weighted count of words, digits, marks and characters of other scripts; the
weights were fitted to the mean of the vocabularies cl100k_base and o200k_base on prompts, code and
eight languages (mean absolute error 11 %). The bound rests on an invariant instead: a byte-level
BPE tokenizer never makes more tokens than there are bytes, and the JSON body holds every byte of
every string, plus the tokens that chat templates add.
"""

from __future__ import annotations

import re

from gateway.core.profile import TokenEstimate
from gateway.core.request import ChatRequest

#: More tokens than any one image costs under the formulas that vendors publish, in `upper_bound`
#: (the dearest is gpt-4o-mini's: 2,833 and 5,667 for each of at most 8 tiles); and the likely cost.
TOKENS_PER_IMAGE = 2_833 + 8 * 5_667
LIKELY_TOKENS_PER_IMAGE = 1_000
#: Tokens that chat templates add around one message, and before the answer.
TOKENS_PER_MESSAGE = 4
TOKENS_PER_REPLY = 3
#: More than what vendors add to the prompt when a request brings tools.
TOKENS_FOR_TOOLS = 800
#: The most characters that are counted one by one; longer texts are counted by a sample.
SAMPLE = 1_200

_WORD = re.compile(r"[A-Za-z]+")
_NUMBER = re.compile(r"[0-9]{1,3}")
_MARK = re.compile(r"[!-/:-@\[-`{-~]")
_HAN_KANA_HANGUL = re.compile("[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]")
_GREEK_CYRILLIC = re.compile("[\u0370-\u05ff]")
_ACCENTED = re.compile("[\u00a0-\u036f]")
_OTHER = re.compile("[\u0600-\u2dff\ua000-\uabff\U00010000-\U0010ffff]")


def expected_tokens(text: str) -> int:
    """The likely number of tokens of a text."""
    size = len(text)
    if size == 0:
        return 0
    if size <= SAMPLE:
        return max(1, round(_count(text)))
    part, middle = SAMPLE // 3, size // 2
    sample = f"{text[:part]}{text[middle : middle + part]}{text[-part:]}"
    return max(1, round(_count(sample) * size / len(sample)))


def _count(text: str) -> float:
    words = _WORD.findall(text)
    beyond_six = sum([len(word) - 6 for word in words if len(word) > 6])
    capitals = sum([len(word) for word in words if len(word) > 3 and word.isupper()])
    count = (
        0.95 * len(words)
        + 0.26 * beyond_six
        + 0.13 * capitals
        + 2.3 * len(_NUMBER.findall(text))
        + 0.47 * len(_MARK.findall(text))
        + 0.72 * text.count("\n")
    )
    if text.isascii():
        return count
    return (
        count
        + 0.85 * len(_HAN_KANA_HANGUL.findall(text))
        + 0.44 * len(_GREEK_CYRILLIC.findall(text))
        + 0.51 * len(_ACCENTED.findall(text))
        + 0.69 * len(_OTHER.findall(text))
    )


def estimate(request: ChatRequest, text: str) -> TokenEstimate:
    """The estimate for a request whose strings, joined, are `text`."""
    template = request.turns * TOKENS_PER_MESSAGE + TOKENS_PER_REPLY if request.turns else 0
    expected = expected_tokens(text) + template + request.images * LIKELY_TOKENS_PER_IMAGE
    expected += request.token_ids
    tools = TOKENS_FOR_TOOLS if request.needs.tools else 0
    upper = request.size + template + tools + request.images * TOKENS_PER_IMAGE
    return TokenEstimate(expected=min(expected, upper), upper_bound=upper)
