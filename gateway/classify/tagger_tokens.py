"""What the tagger sees of a text: tokens, and the buckets of their hashed features.

The training script uses these functions too, so that what is learned is what is asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from struct import Struct
from zlib import crc32

import msgspec

#: Buckets of the hashed features: a power of two.
BUCKETS = 1 << 14
#: Features of each token; `features` gives so many buckets.
FEATURES = 8

_ROW = Struct(f"<{FEATURES}H")
_DIGIT = re.compile(r"\d")
_MASK = BUCKETS - 1
# Words (with their apostrophes), digits, both mixed, line breaks, and other characters one by one.
TOKEN = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)*|\n+|[^\w\s]|_")


class Token(msgspec.Struct, frozen=True, gc=False):
    """A piece of the text; `end` is exclusive, and `gap` says that a blank stood before it."""

    text: str
    start: int
    end: int
    gap: bool


def tokens_of(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of a part of a text, with places in the whole text."""
    tokens = []
    last = start
    for match in TOKEN.finditer(text, start, len(text) if end is None else end):
        begin, stop = match.span()
        tokens.append(Token(match.group(), begin, stop, begin > last))
        last = stop
    return tokens


def features(token: Token) -> tuple[int, ...]:
    """The buckets of one token."""
    return _features(token.text, token.gap)


def rows_of(tokens: Sequence[Token]) -> list[tuple[int, ...]]:
    """The buckets of every token."""
    return list(_ROW.iter_unpack(packed_rows(tokens)))


def packed_rows(tokens: Sequence[Token]) -> bytes:
    """The same in two bytes a bucket, which arrays are made of in no time.

    What is written alike is worked out once.
    """
    known: dict[tuple[str, bool], bytes] = {}
    rows = []
    for token in tokens:
        key = (token.text, token.gap)
        row = _COMMON.get(key) or known.get(key)
        if row is None:
            row = known[key] = _ROW.pack(*_features(*key))
        rows.append(row)
    return b"".join(rows)


def _features(text: str, gap: bool) -> tuple[int, ...]:
    first = text[0]
    if text.isalpha():
        return _of_word(text, gap)
    blank = " " if gap else ""
    if first.isalnum() and not text.isdigit() and _DIGIT.search(text):
        return (_bucket("wmixed"), _bucket(f"s{_mixed(text)}{blank}"), *_MIXED)
    if first.isdigit():
        size = min(len(text), 7)
        shape = "0" * size + ("z" if first == "0" else "")
        return (
            _bucket("w" + shape),
            _bucket(f"s{shape}{blank}"),
            _bucket("p" + text[:2]) if size < 4 else _bucket("p" + text[:1]),
            *_NUMBER,
        )
    if not first.isalpha():
        mark = "\n" * min(len(text), 3) if first == "\n" else text
        return (_bucket("w" + mark), _bucket(f"s{mark}{blank}"), *_MARK)
    return _of_word(text, gap)


def _of_word(text: str, gap: bool) -> tuple[int, ...]:
    lower = text.lower()
    shape = _SHAPES[_case(text), text.isascii(), min(len(text), 9) // 2, gap]
    if not lower.isascii():
        lower = _plain(lower)
    if not lower.isascii():
        return (
            _bucket("w" + lower),
            shape,
            _bucket("2" + lower[-2:]),
            _bucket("3" + lower[-3:]),
            _bucket("4" + lower[-4:]),
            _bucket("6" + lower[-6:]) if len(lower) > 6 else _NO_SIX,
            _bucket("p" + lower[:3]),
            _bucket("q" + lower[:4]),
        )
    # A checksum goes on from that of what stands before, so no string is made of both.
    raw = lower.encode()
    return (
        crc32(raw, _W) & _MASK,
        shape,
        crc32(raw[-2:], _2) & _MASK,
        crc32(raw[-3:], _3) & _MASK,
        crc32(raw[-4:], _4) & _MASK,
        crc32(raw[-6:], _6) & _MASK if len(raw) > 6 else _NO_SIX,
        crc32(raw[:3], _P) & _MASK,
        crc32(raw[:4], _Q) & _MASK,
    )


def _mixed(text: str) -> str:
    """How digits and letters alternate in a short code; longer ones are all the same."""
    if len(text) > 7:
        return "long"
    return "".join("0" if c.isdigit() else "A" if c.isupper() else "a" for c in text)


def _plain(lower: str) -> str:
    """The letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c))


def _case(text: str) -> str:
    """Where a word has capitals."""
    if text.islower():
        return "x"
    if len(text) == 1:
        return "I"
    if text.isupper():
        return "X"
    if text[0].isupper() and (text[1:].islower() or text[1:2] in "'’"):
        return "T"
    return "M" if text[0].isupper() else "m"


def _bucket(feature: str) -> int:
    return crc32(feature.encode("utf-8", "surrogatepass")) & _MASK


_W, _2, _3, _4, _6, _P, _Q = (crc32(kind.encode()) for kind in "w2346pq")
_NO_SIX = _bucket("6")
#: How a word is written: case, whether it is ASCII, roughly its length, and a blank before it.
_SHAPES = {
    (case, plain, length, gap): _bucket(f"s{case}{'' if plain else 'u'}{length}{' ' * gap}")
    for case in "xIXTMm"
    for plain in (False, True)
    for length in range(5)
    for gap in (False, True)
}
_NUMBER = tuple(_bucket(f"number{n}") for n in range(FEATURES - 3))
_MIXED = tuple(_bucket(f"mixed{n}") for n in range(FEATURES - 2))
_MARK = tuple(_bucket(f"mark{n}") for n in range(FEATURES - 2))

# Every second token of an English text is one of these, so they are worked out beforehand.
_WORDS = (
    "the of and to in a is that for it was on are as with his they at be this from have or by one "
    "had not but what all were when we there can an your which their said if do will each about "
    "how up out them then she many some so these would other into has more her two like him see "
    "time could no make than first been its who now people my made over did down only way find "
    "use may water long little very after words called just where most know he you I "
    "The A In What Which If How It He She They We You This That There When Who My On At To For And"
).split()
_SIGNS = ", . ? ! : ; ' \" ( ) [ ] - / = + * % $ & \n".split(" ")
_COMMON = {
    (text, gap): _ROW.pack(*_features(text, gap))
    for text in (*_WORDS, *_SIGNS)
    for gap in (False, True)
}
