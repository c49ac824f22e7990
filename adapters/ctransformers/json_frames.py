"""The places inside a JSON document where a prefix can end, and the bytes inside strings."""

from __future__ import annotations

import msgspec

from adapters.ctransformers.json_shape import Array, Number, Object, Shape, Text


class Rest(msgspec.Struct, frozen=True):
    """In the middle of a fixed text, of which this is left."""

    text: bytes


class InText(msgspec.Struct, frozen=True):
    """Inside a string.

    `length` counts whole characters. `need` continuation bytes of a character are missing, the
    next between `low` and `high`; `escape` is what came of an escape; `pair` says that the first
    half of a surrogate pair came and the second must follow.
    """

    shape: Text
    length: int = 0
    need: int = 0
    low: int = 0x80
    high: int = 0xBF
    escape: bytes = b""
    pair: bool = False

    @property
    def may_end(self) -> bool:
        """Whether the closing quote may come."""
        whole = not self.need and not self.escape and not self.pair
        return whole and self.length >= self.shape.shortest


class InNumber(msgspec.Struct, frozen=True):
    """Inside a number; `text` is what came of it."""

    number: Number
    text: bytes


class ValueStart(msgspec.Struct, frozen=True):
    """Before a value; `blanks` counts whitespace bytes, here as in the places below."""

    shape: Shape
    blanks: int = 0


class Colon(msgspec.Struct, frozen=True):
    """After a key."""

    blanks: int = 0


class EntryOrEnd(msgspec.Struct, frozen=True):
    """After the opening brace."""

    shape: Object
    used: frozenset[str] = frozenset()
    count: int = 0
    blanks: int = 0


class KeyStart(msgspec.Struct, frozen=True):
    """After a comma in an object."""

    shape: Object
    used: frozenset[str]
    count: int
    blanks: int = 0


class AfterEntry(msgspec.Struct, frozen=True):
    """After a value in an object."""

    shape: Object
    used: frozenset[str]
    count: int
    blanks: int = 0


class ItemOrEnd(msgspec.Struct, frozen=True):
    """After the opening bracket."""

    shape: Array
    blanks: int = 0


class AfterItem(msgspec.Struct, frozen=True):
    """After the item of that number (from 1) in an array."""

    shape: Array
    count: int
    blanks: int = 0


Frame = (
    Rest
    | InText
    | InNumber
    | ValueStart
    | Colon
    | EntryOrEnd
    | KeyStart
    | AfterEntry
    | ItemOrEnd
    | AfterItem
)

#: Places where whitespace may stand; `blanks` have come so far.
Between = ValueStart | Colon | EntryOrEnd | KeyStart | AfterEntry | ItemOrEnd | AfterItem


def blank(frame: Between) -> Between:
    """The place after one more whitespace byte."""
    return msgspec.structs.replace(frame, blanks=frame.blanks + 1)


_HEX = frozenset(b"0123456789abcdefABCDEF")
_SIMPLE_ESCAPES = frozenset(b'"\\/bfnrt')
_BACKSLASH = 0x5C


def string_byte(frame: InText, byte: int) -> InText | None:
    """The string with one more byte that is not its closing quote; None when it may not come."""
    if frame.escape:
        return _escape_byte(frame, byte)
    if frame.need:
        if not frame.low <= byte <= frame.high:
            return None
        if frame.need == 1:
            return _characters(frame, frame.length + 1)
        return msgspec.structs.replace(frame, need=frame.need - 1, low=0x80, high=0xBF)
    if frame.pair:
        return msgspec.structs.replace(frame, escape=b"\\") if byte == _BACKSLASH else None
    if frame.length >= frame.shape.longest or byte < 0x20 or byte == 0x22:
        return None
    if byte == _BACKSLASH:
        return msgspec.structs.replace(frame, escape=b"\\")
    if byte < 0x80:
        return _characters(frame, frame.length + 1)
    return _lead_byte(frame, byte)


def string_end(frame: InText) -> bytes:
    """Few bytes that complete the string."""
    written = b""
    length = frame.length
    if frame.need:
        written += bytes((frame.low,)) + b"\x80" * (frame.need - 1)
        length += 1
    elif frame.pair:
        wanted = b"\\udc00"
        written += wanted[len(frame.escape) :]
        # A low half may have begun otherwise; then only its last digits are missing.
        length += 1
    elif frame.escape == b"\\":
        written += b"n"
        length += 1
    elif frame.escape:
        digits = frame.escape[2:]
        written += b"0" * (4 - len(digits))
        if _is_high(digits + written):
            written += b"\\udc00"
        length += 1
    return written + b"a" * max(0, frame.shape.shortest - length) + b'"'


def _characters(frame: InText, length: int) -> InText:
    return InText(frame.shape, length)


def _lead_byte(frame: InText, byte: int) -> InText | None:
    """The first byte of a longer character; overlong forms and surrogates are not UTF-8."""
    if 0xC2 <= byte <= 0xDF:
        return msgspec.structs.replace(frame, need=1)
    if 0xE0 <= byte <= 0xEF:
        low = 0xA0 if byte == 0xE0 else 0x80
        high = 0x9F if byte == 0xED else 0xBF
        return msgspec.structs.replace(frame, need=2, low=low, high=high)
    if 0xF0 <= byte <= 0xF4:
        low = 0x90 if byte == 0xF0 else 0x80
        high = 0x8F if byte == 0xF4 else 0xBF
        return msgspec.structs.replace(frame, need=3, low=low, high=high)
    return None


def _escape_byte(frame: InText, byte: int) -> InText | None:
    escape = frame.escape + bytes((byte,))
    if frame.escape == b"\\":
        if byte == ord("u"):
            return msgspec.structs.replace(frame, escape=escape)
        if frame.pair or byte not in _SIMPLE_ESCAPES:
            return None
        return _characters(frame, frame.length + 1)
    if byte not in _HEX:
        return None
    digits = escape[2:].lower()
    if frame.pair and not _may_be_low(digits):
        return None
    if not frame.pair and digits[:1] == b"d" and digits[1:2] in (b"c", b"d", b"e", b"f"):
        return None
    if len(digits) < 4:
        return msgspec.structs.replace(frame, escape=escape)
    if frame.pair:
        return _characters(frame, frame.length + 1)
    if _is_high(digits):
        return msgspec.structs.replace(frame, escape=b"", pair=True)
    return _characters(frame, frame.length + 1)


def _is_high(digits: bytes) -> bool:
    return digits[:1].lower() == b"d" and digits[1:2].lower() in (b"8", b"9", b"a", b"b")


def _may_be_low(digits: bytes) -> bool:
    return digits[:1] == b"d" and digits[1:2] in (b"", b"c", b"d", b"e", b"f")
