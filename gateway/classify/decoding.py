"""Finds encoded passages (base64, base32, hexadecimal, compressed) and reads them.

Sizes are bounded: what is decoded is never larger than what it came from, except for compressed
content, of which at most `MOST_INFLATED` bytes are read in one passage.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator

import msgspec

#: Bytes that are read from one compressed passage.
MOST_INFLATED = 65_536

#: Where a run of base64 or hexadecimal characters begins, one character after the anchor's own
#: beginning; and how pairs of hexadecimal digits begin. See `detection.GATES`.
RUN_ANCHOR = r"[^a-z0-9+/_\-][a-z0-9+/_\-]{18}"
PAIRS_GATE = r"[0-9a-f]{2}[ :][0-9a-f]{2}[ :][0-9a-f]{2}[ :][0-9a-f]{2}[ :][0-9a-f]{2}"

_RUN = re.compile(
    r"[A-Za-z0-9+/_\-]{18,}+={0,2}"
    r"(?:\r?\n[ \t]{0,8}[A-Za-z0-9+/_\-]{16,}+={0,2})*+(?:\r?\n[ \t]{0,8}[A-Za-z"
    r"0-9+/_\-]{2,15}={1,2})?"
)
_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(?:[ :][0-9A-Fa-f]{2}){8,}+(?![0-9A-Za-z])")
_HEX = re.compile(r"(?:0x)?[0-9A-Fa-f]+")
_BASE32 = re.compile(r"[A-Z2-7]{16,}={0,6}")
_BLANKS = re.compile(r"[ \t\r\n:]+")


class Passage(msgspec.Struct, frozen=True):
    """An encoded passage (end exclusive) and what it says."""

    start: int
    end: int
    text: str


def passages(text: str, runs: Iterable[int], *, pairs: bool) -> Iterator[Passage]:
    """The encoded passages of an ASCII text that decode to readable text.

    `runs` are the places where runs of encoded-looking characters begin, in order; `pairs` says
    that there are pairs of hexadecimal digits.
    """
    if pairs:
        for match in _PAIRS.finditer(text):
            yield from _readable(match, bytes.fromhex(_BLANKS.sub("", match.group())))
    reached = 0
    for start in runs:
        run = _RUN.match(text, start) if start >= reached else None
        if run is None:
            continue
        reached = run.end()
        shown = _BLANKS.sub("", run.group())
        hexadecimal = _HEX.fullmatch(shown) is not None and len(shown) % 2 == 0
        if hexadecimal and (len(shown) >= 24 or not shown.isdigit()):
            yield from _readable(run, bytes.fromhex(shown.removeprefix("0x")))
        raw = _base64(shown)
        if raw is not None:
            yield from _readable(run, raw)
        if _BASE32.fullmatch(shown) is not None:
            yield from _base32(run, shown)


def _base64(shown: str) -> bytes | None:
    body = shown.rstrip("=").translate(_URL_SAFE)
    # A rest of one character cannot be; it belongs to what stands before or after.
    if len(body) % 4 == 1:
        body = body[:-1]
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4))
    except binascii.Error:
        return None


_URL_SAFE = str.maketrans("-_", "+/")


def _base32(match: re.Match[str], shown: str) -> Iterator[Passage]:
    body = shown.rstrip("=")
    try:
        raw = base64.b32decode(body + "=" * (-len(body) % 8))
    except binascii.Error:
        return
    yield from _readable(match, raw)


def _readable(match: re.Match[str], raw: bytes) -> Iterator[Passage]:
    if raw[:2] == b"\x1f\x8b" or raw[:1] == b"\x78":
        raw = _inflated(raw)
    if len(raw) < 8:
        return
    # Most base64-looking words decode to noise; the first bytes tell.
    head = raw[:64]
    printable = sum(32 <= byte < 127 or byte in (9, 10, 13) for byte in head)
    if printable < len(head) * 0.85:
        if raw[1::2].count(0) * 2.5 > len(raw):
            yield Passage(*match.span(), raw.decode("utf-16-le", "replace"))
            return
        if not _other_script(raw):
            return
    yield Passage(*match.span(), raw.decode("utf-8", "replace"))


def _other_script(raw: bytes) -> bool:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(character.isprintable() for character in text) >= len(text) * 0.95


def _inflated(raw: bytes) -> bytes:
    try:
        return zlib.decompressobj(47).decompress(raw, MOST_INFLATED)
    except zlib.error:
        return raw
