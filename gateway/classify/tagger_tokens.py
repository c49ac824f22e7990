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
        row = known.get(key)
        if row is None:
            row = known[key] = _ROW.pack(*_features(*key))
        rows.append(row)
    return b"".join(rows)


def _features(text: str, gap: bool) -> tuple[int, ...]:
    first = text[0]
    blank = " " if gap else ""
    if not text.isalpha() and first.isalnum() and not text.isdigit() and _DIGIT.search(text):
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
    lower = _plain(text)
    shape = f"s{_shape(text)}{blank}"
    return (
        _bucket("w" + lower),
        _bucket(shape),
        _bucket("2" + lower[-2:]),
        _bucket("3" + lower[-3:]),
        _bucket("4" + lower[-4:]),
        _bucket("6" + lower[-6:]) if len(lower) > 6 else _bucket("6"),
        _bucket("p" + lower[:3]),
        _bucket("q" + lower[:4]),
    )


def _mixed(text: str) -> str:
    """How digits and letters alternate in a short code; longer ones are all the same."""
    if len(text) > 7:
        return "long"
    return "".join("0" if c.isdigit() else "A" if c.isupper() else "a" for c in text)


def _plain(text: str) -> str:
    """Lower case without accents."""
    lower = text.lower()
    if lower.isascii():
        return lower
    return "".join(c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c))


def _shape(text: str) -> str:
    """How a word is written: case, whether it is ASCII, and roughly its length."""
    if text.islower():
        case = "x"
    elif len(text) == 1:
        case = "I"
    elif text.isupper():
        case = "X"
    elif text[0].isupper() and (text[1:].islower() or text[1:2] in "'’"):
        case = "T"
    else:
        case = "M" if text[0].isupper() else "m"
    return f"{case}{'' if text.isascii() else 'u'}{min(len(text), 9) // 2}"


def _bucket(feature: str) -> int:
    return crc32(feature.encode("utf-8", "surrogatepass")) & _MASK


_NUMBER = tuple(_bucket(f"number{n}") for n in range(FEATURES - 3))
_MIXED = tuple(_bucket(f"mixed{n}") for n in range(FEATURES - 2))
_MARK = tuple(_bucket(f"mark{n}") for n in range(FEATURES - 2))
