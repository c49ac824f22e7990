"""How many tokens a request has: the likely number, and a bound that is never passed.

The likely number is a weighted count of words, digits, marks and characters of other scripts; the
weights were fitted to the mean of the vocabularies cl100k_base and o200k_base on prompts, code and
eight languages (mean absolute error 13 %). The bound rests on an invariant instead: a byte-level
BPE tokenizer never makes more tokens than there are bytes, and the JSON body holds every byte of
every string, plus the tokens that chat templates add.
"""

from __future__ import annotations

import re

import numpy as np

from gateway.core.profile import TokenEstimate
from gateway.core.request import ChatRequest, Segment
from gateway.core.token_families import DEAREST_IMAGE

#: The likely cost of a picture, in tokens.
LIKELY_TOKENS_PER_IMAGE = 1_000
#: Base64 of a file by the likely token: a page of a PDF is about 100 kB and, as vendors say, 3,000
#: tokens. Whatever is longer than a link is a file or a picture sent inline.
FILE_BYTES_PER_TOKEN = 32
_LONGEST_LINK = 2_048
#: Tokens that chat templates add around one message, and before the answer.
TOKENS_PER_MESSAGE = 4
TOKENS_PER_REPLY = 3
#: More than what vendors add to the prompt when a request brings tools.
TOKENS_FOR_TOOLS = 800
#: More than the words around a schema that is told in the prompt, and those of its one repair.
TOKENS_FOR_GUIDANCE = 1_500
#: The most characters that are counted one by one; longer texts are counted by a sample.
SAMPLE = 900

_UPPER = bytes(range(0x41, 0x5B))
_LOWER = bytes(range(0x61, 0x7B))
_DIGITS = bytes(range(0x30, 0x3A))
#: Each ASCII byte as its kind, so that counting is done in C and not by a loop in Python:
#: `0` digit and `!` mark; `a` letter; `A` capital; space for the rest.
_KINDS = bytes(
    ord("0")
    if code in _DIGITS
    else ord("!")
    if 0x20 < code < 0x7F and code not in _UPPER + _LOWER
    else ord(" ")
    for code in range(256)
)
_LETTERS = bytes(ord("a") if code in _UPPER + _LOWER else ord(" ") for code in range(256))
_CAPITALS = bytes(ord("A") if code in _UPPER else ord(" ") for code in range(256))
#: Letters beyond this many in one word are not counted; such words are encoded text.
_LONGEST_WORD = 24
#: By the length of a word: how many of its letters stand beyond the first six, in steps of two.
_BEYOND = np.array([2 * len(range(7, length + 1, 2)) for length in range(_LONGEST_WORD + 1)])
_BLANK = ord(" ")
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
    raw = b" " + text.encode("ascii", "replace") + b" "
    kinds = raw.translate(_KINDS)
    marks = kinds.count(b"!")
    words, beyond = _words(raw.translate(_LETTERS))
    count = 0.95 * words + 0.26 * beyond + 2.3 * _threes(kinds) + 0.72 * text.count("\n")
    if b"AAAA" in (capitals := raw.translate(_CAPITALS)):
        count += 0.13 * (3 * capitals.count(b" AAAA") + _letters_beyond(capitals, 3, b"A"))
    if text.isascii():
        return count + 0.47 * marks
    # Other characters came out of the encoding as question marks.
    foreign = raw.count(b"?") - text.count("?")
    return (
        count
        + 0.47 * (marks - foreign)
        + 0.85 * len(_HAN_KANA_HANGUL.findall(text))
        + 0.44 * len(_GREEK_CYRILLIC.findall(text))
        + 0.51 * len(_ACCENTED.findall(text))
        + 0.69 * len(_OTHER.findall(text))
    )


def _words(letters: bytes) -> tuple[int, int]:
    """How many words there are, and about how many letters beyond the first six of each.

    The letters are counted in steps of two, as the weights were fitted.
    """
    blanks = (np.frombuffer(letters, np.uint8) == _BLANK).nonzero()[0]
    lengths = np.minimum(blanks[1:] - blanks[:-1] - 1, _LONGEST_WORD)
    held = np.bincount(lengths, minlength=_LONGEST_WORD + 1)
    return len(lengths) - int(held[0]), int(held @ _BEYOND)


def _letters_beyond(kinds: bytes, most: int, letter: bytes) -> int:
    """About how many of these letters stand beyond the first `most` of their rows, over all."""
    beyond = 0
    for length in range(most + 1, _LONGEST_WORD + 1, 2):
        rows = kinds.count(b" " + letter * length)
        if not rows:
            break
        beyond += 2 * rows
    return beyond


def _threes(kinds: bytes) -> int:
    """How many groups of at most three digits there are."""
    if b"0" not in kinds:
        return 0
    grouped = kinds.replace(b"000", b"3").replace(b"00", b"2")
    return grouped.count(b"3") + grouped.count(b"2") + grouped.count(b"0")


def estimate(request: ChatRequest, text: str) -> TokenEstimate:
    """The estimate for a request whose strings, joined, are `text`."""
    template = template_tokens(request)
    inline = [part for part in request.segments if is_inline(part)] if _has_files(request) else []
    if inline:
        text = "\n".join([part.text for part in request.segments if not is_inline(part)])
    expected = expected_tokens(text) + template + request.images * LIKELY_TOKENS_PER_IMAGE
    expected += request.token_ids
    if request.needs.documents:
        expected += sum(len(part.text) for part in inline) // FILE_BYTES_PER_TOKEN
    tools = TOKENS_FOR_TOOLS if request.needs.tools else 0
    # A backend without schemas is told the schema in words, and once more what was wrong.
    guidance = request.size + TOKENS_FOR_GUIDANCE if request.needs.schema else 0
    upper = request.size + template + tools + guidance + request.images * DEAREST_IMAGE
    return TokenEstimate(expected=min(expected, upper), upper_bound=upper, images=request.images)


def _has_files(request: ChatRequest) -> bool:
    return request.images > 0 or request.needs.documents


def template_tokens(request: ChatRequest) -> int:
    """What chat templates add around the messages and before the answer."""
    return request.turns * TOKENS_PER_MESSAGE + TOKENS_PER_REPLY if request.turns else 0


def is_inline(part: Segment) -> bool:
    """Whether a string is the bytes of a file, which models do not read as text."""
    return part.kind == "url" and len(part.text) > _LONGEST_LINK
