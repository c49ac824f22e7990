"""How many tokens a request has: the likely number, and a bound that is never passed.

The likely number comes from characters per token by kind of text, measured with the vocabularies
cl100k_base and o200k_base. The bound rests on an invariant instead: a byte-level BPE tokenizer
never makes more tokens than there are bytes, and the JSON body has at least the bytes of every
string in it, plus structure that outweighs the chat template's own tokens per message.
"""

from __future__ import annotations

import re

from gateway.core.profile import TokenEstimate
from gateway.core.request import ChatRequest

#: The most tokens that one image costs with the vendors' published formulas (tiles at the highest
#: detail; the largest of OpenAI's, Anthropic's and Google's figures, rounded up).
TOKENS_PER_IMAGE = 6_000
#: Tokens that chat templates add around one message and at the start of the answer.
TOKENS_PER_MESSAGE = 4
TOKENS_PER_REPLY = 3

_WORDS = re.compile(r"[A-Za-z]+")
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]")


def expected_tokens(text: str) -> int:
    """The likely number of tokens of a text under today's 100k-200k vocabularies."""
    size = len(text)
    if size == 0:
        return 0
    # A sample is enough for a ratio and keeps long documents cheap.
    sample = text if size <= 1_200 else text[:400] + text[size // 2 : size // 2 + 400] + text[-400:]
    return max(1, round(_tokens_of(sample) * size / len(sample)))


def _tokens_of(sample: str) -> float:
    size = len(sample)
    words = _WORDS.findall(sample)
    letters = sum(map(len, words))
    spaces = sample.count(" ")
    lines = sample.count("\n")
    if sample.isascii():
        other = size - letters - spaces - lines
        long_words = sum(len(word) > 9 for word in words)
        return len(words) * 1.02 + long_words * 0.75 + other * 0.55 + lines * 0.35
    wide = len(_WIDE.findall(sample))
    other_script = size - letters - spaces - lines - wide
    return len(words) * 1.25 + wide * 0.85 + other_script * 0.5 + lines * 0.35


def estimate(request: ChatRequest, text: str) -> TokenEstimate:
    """The estimate for a request whose strings, joined, are `text`."""
    template = request.turns * TOKENS_PER_MESSAGE + TOKENS_PER_REPLY
    expected = expected_tokens(text) + template + request.images * 1_000
    upper = request.size + template + request.images * TOKENS_PER_IMAGE
    return TokenEstimate(expected=min(expected, upper), upper_bound=upper)
