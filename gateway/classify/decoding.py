"""Finds encoded passages (base64, base32, base85, hexadecimal, compressed) and reads them.

Sizes are bounded: what is decoded is never larger than what it came from, except for compressed
content, of which at most `MOST_INFLATED` bytes are read in one passage.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import lzma
import re
import string
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain

import msgspec

from gateway.classify.attachments import extract
from gateway.classify.spacing import (
    LARGEST_GROUP,
    SMALLEST_GROUP,
    Spacing,
    long_runs,
    table_of,
)

#: Bytes that are read from one compressed passage.
MOST_INFLATED = 65_536

_PAIR_AND_SIGN = r"[0-9a-f]{2}[ :\-]"
#: What may stand in a text beside long runs and what `Spacing` tells: pairs of hexadecimal digits
#: with other signs than blanks between them, and encodings whose name is given because nothing
#: else tells them from code.
GATES: dict[str, str] = {
    "hex_pairs": "|".join(
        # One sign that is no blank, at each place: an engine has little to do where there is none.
        f"{_PAIR_AND_SIGN * before}[0-9a-f]{{2}}[:\\-]{_PAIR_AND_SIGN * (7 - before)}[0-9a-f]{{2}}"
        for before in range(8)
    ),
    "named_base": (
        r"(?:base|ascii|[ab])[ \-_]?(?:85|58)[^0-9]|<~[!-u]{8}|z85|"
        r"(?:de|en)cod(?:e|ed|ing)[ :]|decrypt"
    ),
    "uuencoded": r"begin [0-7]{3} [^\n]{1,60}\n",
}

_RUN = re.compile(
    r"={0,2}[A-Za-z0-9+/_\-]{18,}+={0,2}"
    r"(?:\r?\n[ \t]{0,8}[A-Za-z0-9+/_\-]{16,}+={0,2})*+"
    r"(?:\r?\n[ \t]{0,8}[A-Za-z0-9+/_\-]{2,15}={1,2})?"
)
_PAIRS = re.compile(
    r"[0-9A-Fa-f]{2}(?:[ :\-][0-9A-Fa-f]{2}){8,}+(?![0-9A-Za-z])"
    r"|[0-9A-Fa-f]{4}(?: [0-9A-Fa-f]{4}){5,}+(?: [0-9A-Fa-f]{2})?(?![0-9A-Za-z])"
)
_CHUNKS = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{4,16}(?: [A-Za-z0-9+/]{1,16}){4,}+={0,2}")
# Three groups without a capital, a digit or a sign: of base64 one row in fifty thousand is so.
_WORDS = re.compile(r"[a-z]{4,16} [a-z]{4,16} [a-z]{4,16}(?![A-Za-z0-9+/])")
_HEX = re.compile(r"(?:0x)?[0-9A-Fa-f]+")
_BASE32 = re.compile(r"(?:[A-Z2-7]{16,}|[a-z2-7]{16,})={0,6}")
_BASE32_HEX = re.compile(r"(?:[0-9A-V]{16,}|[0-9a-v]{16,})={0,6}")
_BLANKS = re.compile(r"[ \t\r\n:\-]+")
_LINE_BREAKS = re.compile(r"[ \t\r\n]+")
_TOKEN = re.compile(r"[!-~]{16,8192}")
_VISIBLE, _SHORTEST_TOKEN = table_of(bytes(range(0x21, 0x7F))), 16
_CAPITAL_OR_DIGIT = re.compile(r"[A-Z0-9]")
_ASCII85, _BASE85 = re.compile(r"[!-uz]+"), re.compile(r"[0-9A-Za-z!#$%&()*+\-;<=>?@^_`{|}~]+")
_BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{16,2048}")
_UU_LINES = re.compile(r"begin [0-7]{3} [^\n]{1,60}\n((?:[ -`]{1,62}\n?){1,2000})", re.I)


class Passage(msgspec.Struct, frozen=True):
    """An encoded passage (end exclusive) and what it says; `unread`: it says more than that."""

    start: int
    end: int
    text: str
    unread: bool = False


def passages(
    text: str,
    spacing: Spacing,
    gates: Collection[str],
    where: Callable[[str], Iterable[tuple[int, int]]] | None = None,
) -> Iterator[Passage]:
    """The encoded passages of an ASCII text that decode to readable text.

    `spacing` is that of the text, `gates` names what there is a sign of, and `where` in which
    parts of the text (without it: anywhere).
    """
    shadow = text.encode("ascii")
    if "hex_pairs" in gates:
        areas = ((0, len(text)),) if where is None else where("hex_pairs")
        for match in chain.from_iterable(_PAIRS.finditer(text, *area) for area in areas):
            shown = _BLANKS.sub("", match.group())
            if len(shown) % 2 == 0:
                yield from _readable(match.span(), bytes.fromhex(shown))
    if "named_base" in gates:
        yield from _in_named_bases(text, shadow)
    if "uuencoded" in gates:
        yield from _uuencoded(text)
    yield from _in_chunks(text, spacing.groups)
    reached = 0
    for start in long_runs(shadow):
        if start < reached:
            continue
        # Signs of padding in front belong to base64 that is written backwards.
        while start > 0 and text[start - 1] == "=":
            start -= 1
        run = _RUN.match(text, start)
        if run is not None:
            reached = run.end()
            yield from _in_run(run)


def _in_run(run: re.Match[str]) -> Iterator[Passage]:
    shown = run.group()
    if "\n" in shown:
        shown = _LINE_BREAKS.sub("", shown)
    place = run.span()
    if shown.startswith("="):
        yield from _base64(place, shown[::-1])
        shown = shown.lstrip("=")
    if shown.startswith("+") and shown.endswith("-"):
        # UTF-7 (RFC 2152) writes UTF-16 between these signs.
        yield from _base64(place, shown[1:-1])
    hexadecimal = _HEX.fullmatch(shown) is not None and len(shown) % 2 == 0
    if hexadecimal and (len(shown) >= 24 or not shown.isdigit()):
        yield from _readable(place, bytes.fromhex(shown.removeprefix("0x")))
    yield from _base64(place, shown)
    if _BASE32.fullmatch(shown) is not None:
        yield from _base32(place, shown, base64.b32decode)
    if _BASE32_HEX.fullmatch(shown) is not None and not hexadecimal:
        yield from _base32(place, shown, base64.b32hexdecode)


def _base64(place: tuple[int, int], shown: str) -> Iterator[Passage]:
    body = shown.strip("=").replace("-", "+").replace("_", "/")
    # A rest of one character cannot be; it belongs to what stands before or after.
    if len(body) % 4 == 1:
        body = body[:-1]
    try:
        raw = binascii.a2b_base64(body + "=" * (-len(body) % 4))
    except binascii.Error:
        return
    yield from _readable(place, raw)


def _base32(place: tuple[int, int], shown: str, decode: object) -> Iterator[Passage]:
    body = shown.rstrip("=").upper()
    try:
        raw = decode(body + "=" * (-len(body) % 8))  # type: ignore[operator]
    except binascii.Error:
        return
    yield from _readable(place, raw)


def _in_chunks(text: str, groups: Iterable[int]) -> Iterator[Passage]:
    reached = 0
    for start in groups:
        # Most begin in the middle of a longer word, or are words.
        if start < reached or text[start - 1 : start] in _IN_GROUP:
            continue
        if _WORDS.match(text, start) is not None:
            continue
        match = _CHUNKS.match(text, start)
        if match is None:
            continue
        reached = match.end()
        whole = match.group()
        size = whole.find(" ")
        if whole.find(" ", size + 1) != 2 * size + 1 or not _first_of_row(text, start):
            continue
        chunks = whole.split(" ")
        # Words differ in length; groups of one encoding do not, but for the last.
        while len(chunks) > 4 and len(chunks[-1].rstrip("=")) > size:
            chunks.pop()
        if any(len(chunk) != size for chunk in chunks[:-1]):
            continue
        shown = "".join(chunks)
        end = start + len(" ".join(chunks))
        if any(map(str.isdigit, shown)) or not shown.islower():
            yield from _base64((start, end), shown)


def _first_of_row(text: str, start: int) -> bool:
    """Whether the words before a group are too short, too long or too far off to be groups."""
    blank = start - 1
    while blank > 0 and text[blank] == " ":
        begin = blank
        while blank - begin <= LARGEST_GROUP and text[begin - 1 : begin] in _IN_GROUP:
            begin -= 1
        size = blank - begin
        if size == 0 or size > LARGEST_GROUP:
            return True
        if size >= SMALLEST_GROUP:
            return False
        blank = begin - 1
    return True


_IN_GROUP = frozenset(string.ascii_letters + string.digits + "+/")


def _tokens(text: str, shadow: bytes) -> Iterator[re.Match[str]]:
    for start in long_runs(shadow, _VISIBLE, _SHORTEST_TOKEN):
        while (match := _TOKEN.match(text, start)) is not None:
            yield match
            start = match.end()


def _in_named_bases(text: str, shadow: bytes) -> Iterator[Passage]:
    for match in _tokens(text, shadow):
        shown = match.group()
        # In sixteen signs of these encodings there is a capital or a digit, in most words none.
        if _CAPITAL_OR_DIGIT.search(shown, 1) is None:
            continue
        framed = shown.removeprefix("<~").removesuffix("~>")
        for signs, decode in ((_ASCII85, base64.a85decode), (_BASE85, base64.b85decode)):
            # They are written in Python, and most tokens have a sign that is none of theirs.
            if signs.fullmatch(framed) is None:
                continue
            try:
                yield from _readable(match.span(), decode(framed.encode()))
            except ValueError:
                continue
        if _BASE58.fullmatch(shown) is not None:
            yield from _readable(match.span(), _from_base58(shown))


_BASE58_SIGNS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _from_base58(shown: str) -> bytes:
    number = 0
    for sign in shown:
        number = number * 58 + _BASE58_SIGNS.index(sign)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _uuencoded(text: str) -> Iterator[Passage]:
    for match in _UU_LINES.finditer(text):
        raw = b""
        for line in match.group(1).splitlines():
            if not line or line[0] in "` " or line.lower() == "end":
                break
            try:
                raw += binascii.a2b_uu(line)
            except binascii.Error:
                break
        yield from _readable(match.span(), raw)


def _readable(place: tuple[int, int], raw: bytes) -> Iterator[Passage]:
    if len(raw) < 8:
        return
    attached = extract(raw)
    if attached is not None:
        yield Passage(*place, attached.text, attached.unread)
        return
    inflated = _inflated(raw)
    if inflated is not None:
        raw = inflated
    # Most base64-looking words decode to noise; the first bytes tell.
    head = raw[:64]
    if len(head.translate(None, _PRINTABLE)) <= len(head) * 0.15:
        yield Passage(*place, raw.decode("utf-8", "replace"))
    elif 0 in raw and raw[1::2].count(0) * 2.5 > len(raw):
        yield Passage(*place, raw.decode("utf-16-le", "replace"))
    elif 0 in raw and raw[0::2].count(0) * 2.5 > len(raw):
        yield Passage(*place, raw.decode("utf-16-be", "replace"))
    elif _other_script(raw):
        yield Passage(*place, raw.decode("utf-8", "replace"))
    elif inflated is None and len(raw) >= 24 and may_be_deflated(raw):
        plain = _deflated(raw)
        if plain is not None:
            yield Passage(*place, plain)


_PRINTABLE = bytes((9, 10, 13, *range(32, 127)))


def _other_script(raw: bytes) -> bool:
    # Most of what comes here is noise, and to be told so by an exception takes twice as long.
    text = raw.decode("utf-8", "replace")
    if text.count(_NO_CHARACTER) > raw.count(_NO_CHARACTER_BYTES):
        return False
    return sum(map(str.isprintable, text)) >= len(text) * 0.95


#: What stands for what could not be decoded, as a character and as it is written.
_NO_CHARACTER, _NO_CHARACTER_BYTES = "\ufffd", "\ufffd".encode()


#: How compressed content begins: gzip and zlib, bzip2, xz.
_GZIP, _BZIP2, _XZ = (b"\x1f\x8b", b"x\x01", b"x^", b"x\x9c", b"x\xda"), b"BZh", b"\xfd7zXZ\x00"
_COMPRESSED = (*_GZIP, _BZIP2, _XZ)


def _inflated(raw: bytes) -> bytes | None:
    if not raw.startswith(_COMPRESSED):
        return None
    try:
        if raw.startswith(_GZIP):
            return zlib.decompressobj(47).decompress(raw, MOST_INFLATED)
        if raw.startswith(_BZIP2):
            return bz2.BZ2Decompressor().decompress(raw, MOST_INFLATED)
        if raw.startswith(_XZ):
            return lzma.LZMADecompressor(memlimit=1 << 24).decompress(raw, MOST_INFLATED)
    except (zlib.error, OSError, EOFError, lzma.LZMAError):
        return None
    return None


def may_be_deflated(raw: bytes) -> bool:
    """Whether the first block of a bare deflate stream could begin so (RFC 1951, 3.2.3 to 3.2.7).

    Half of what is no such stream can be told by this, for less than it takes to unpack it.
    """
    kind = raw[0] >> 1 & 3
    if kind == _STORED:
        return raw[1] ^ raw[3] == 0xFF and raw[2] ^ raw[4] == 0xFF
    if kind == _DYNAMIC:
        return raw[0] >> 3 <= _MOST_CODES and raw[1] & 31 <= _MOST_CODES
    return kind != _RESERVED


_STORED, _DYNAMIC, _RESERVED = 0, 2, 3
_MOST_CODES = 29


def _deflated(raw: bytes) -> str | None:
    """What a bare deflate stream says, which has no mark of its own."""
    try:
        plain = zlib.decompressobj(-15).decompress(raw, MOST_INFLATED)
    except zlib.error:
        return None
    if len(plain) < 16 or not _other_script(plain):
        return None
    return plain.decode("utf-8")
