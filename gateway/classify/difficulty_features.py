"""What the difficulty model sees of a prompt: hashed words and word pairs, and cheap scalars.

Everything is computed with a fixed number of array operations over the prompt's bytes, so that
the cost grows with the bytes and not with Python's speed. A long prompt is read at both ends.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
import numpy.typing as npt

from gateway.classify.markers import Markers

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Buckets = npt.NDArray[np.uint16]

#: Buckets of the hashed words and pairs: 2 ** BITS, so that two bytes hold a number of one.
BITS = 16
BUCKETS = 1 << BITS
#: Marks of prompts, see `mark_of`.
MARKS = 1 << 20
#: How much of a long prompt is read (bytes of UTF-8).
HEAD, TAIL = 4_000, 2_000

_LONGEST = HEAD + TAIL + 8
_WIDTH = np.uint64(64)
_MASK = (1 << 64) - 1
# An odd number has an inverse modulo 2 ** 64, so one running sum gives every word's hash.
_BASE = 0x9E3779B97F4A7C15
_POWERS = np.array([pow(_BASE, n, 1 << 64) for n in range(_LONGEST)], np.uint64)
_INVERSES = np.array([pow(pow(_BASE, -1, 1 << 64), n, 1 << 64) for n in range(_LONGEST)], np.uint64)
_ONE, _TWO, _THREE = np.uint64(0x1F83D9AB), np.uint64(0x5BE0CD19), np.uint64(3)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_DOWN = np.uint64(29)
_SHIFT = np.uint64(64 - BITS)
#: What stands between an ask and the tools that are written out after it.
TOOLS_MARK = "\n\nTools:"
_TOOLS = TOOLS_MARK.encode()
#: What the first of several lettered options begins with.
OPTIONS_MARK = "\nA. "
_OPTIONS = OPTIONS_MARK.encode()
_DIGITS, _CAPITALS = b"0123456789", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _folded(byte: int) -> int:
    character = chr(byte)
    if byte >= 0x80:
        return byte
    if character.isdigit():
        return ord("0")
    return ord(character.lower()) if character.isalpha() else 0


#: ASCII letters in lower case, digits as one, other ASCII as a gap; bytes of other scripts stay.
_FOLD = bytes(_folded(byte) for byte in range(256))

_CLASSES = {
    "digits": _DIGITS,
    "capitals": _CAPITALS,
    "lines": b"\n",
    "commas": b",;",
    "questions": b"?",
    "stops": b".!",
    "operators": b"+-*/=^<>|%",
    "brackets": b"()[]",
    "braces": b"{}",
    "underscores": b"_",
    "latex": b"\\$",
    "quotes": b"\"'`",
    "colons": b":",
    "dollars": b"$",
    "rounds": b"(",
    "squares": b"[",
    "equals": b"=",
    "carets": b"^",
    "apostrophes": b"'",
    "double_quotes": b'"',
    "full_stops": b".",
    "other_scripts": bytes(range(0x80, 256)),
}
_CLASS_OF = np.zeros((256, len(_CLASSES)))
for _number, _members in enumerate(_CLASSES.values()):
    _CLASS_OF[list(_members), _number] = 1.0

#: What is counted: name, and the bytes to look for.
_MARKERS = {
    "option_c": b"\nC. ",
    "option_e": b"\nE. ",
    "option_h": b"\nH. ",
    "functions": b'"parameters"',
    "typed": b'"type"',
    "lists": b'"array"',
    "needed": b'"required"',
    "described": b'"description"',
    "negations": b" not ",
    "exceptions": b"EXCEPT",
    "fences": b"```",
    "definitions": b"def ",
    "returns": b"return ",
    "loops": b"for ",
    "statements": b"Statement",
    "blanks": b"__",
    "which": b"hich of the following",
    "how_many": b"ow many",
    "if": b" if ",
    "each": b" each ",
    "per": b" per ",
    "than": b" than ",
    "then": b" then ",
    "named": b'"name"',
    "integers": b'"integer"',
    "floats": b'"float"',
    "strings": b'"string"',
    "flags": b'"boolean"',
    "enumerated": b'"enum"',
    "nested": b'"dict"',
    "tuples": b'"tuple"',
    "untyped": b'"any"',
    "defaults": b"efault",
    "optional": b"ptional",
    "and": b" and ",
    "or": b" or ",
    "also": b"also",
    "in": b" in ",
    "with": b" with ",
    "half": b" half",
    "twice": b"twice",
    "times": b" times",
    "more": b"more",
    "less": b"less",
    "total": b"total",
    "left_over": b" left",
    "every": b"every",
    "hours": b"hour",
    "days": b"day",
    "weeks": b"week",
    "months": b"month",
    "years": b"year",
    "all_or_none": b"of the above",
    "whiles": b"while ",
    "deep": b"        ",
}

#: What is read of the ask alone, of the tools written out after it, and of lettered options.
_SHAPES = (
    "ask_capitals",
    "ask_ands",
    "ask_quotes",
    "tools_length",
    "parameters_needed",
    "longest_word",
    "single_letters",
    "options",
    "shortest_option",
    "longest_option",
    "option_spread",
    "options_with_digits",
)

SCALARS = (
    "length",
    "words",
    "word_length",
    "long_words",
    "variety",
    "numbers",
    "ask_length",
    "rest_length",
    "last_line",
    "sentence",
    *_SHAPES,
    *(f"log_{name}" for name in _CLASSES),
    *(f"share_{name}" for name in _CLASSES),
    *_MARKERS,
)
_AT_SHAPES = SCALARS.index(_SHAPES[0])
_AT_CLASSES = _AT_SHAPES + len(_SHAPES)
_AT_MARKERS = _AT_CLASSES + 2 * len(_CLASSES)
_COUNTED = Markers(tuple(_MARKERS.values()))


class Seen:
    """The features of one prompt: distinct buckets, those of words alone, and `SCALARS`."""

    __slots__ = ("buckets", "scalars", "singles")

    def __init__(self, buckets: Indices, singles: Indices, scalars: Floats) -> None:
        self.buckets = buckets
        self.singles = singles
        self.scalars = scalars


def featurise(prompt: str) -> Seen:
    """The features of a prompt."""
    full = len(prompt)
    if full > HEAD + TAIL:
        prompt = f"{prompt[:HEAD]}\n{prompt[-TAIL:]}"
    raw = prompt.encode("utf-8", "replace")
    if len(raw) > HEAD + TAIL + 1:
        raw = raw[:HEAD] + b"\n" + raw[-TAIL:]
    # Tools that are written out in the text are counted as scalars; the words are those of the
    # ask, as in requests that carry their tools beside the prompt.
    ask = raw.partition(_TOOLS)[0]
    folded = np.frombuffer(b"\0" + ask.translate(_FOLD) + b"\0", np.uint8)
    inside = folded != 0
    edges = (inside[1:] != inside[:-1]).nonzero()[0]
    # The gaps before the first letter of each word, and its last letter.
    before, last = edges[0::2], edges[1::2]
    sums = folded.astype(np.uint64)
    sums *= _POWERS[: len(folded)]
    np.add.accumulate(sums, out=sums)
    hashes = sums.take(last)
    hashes -= sums.take(before)
    hashes *= _INVERSES.take(before + 1)
    words = len(hashes)
    # Words and pairs of words in one array, because each operation costs more than its numbers.
    both = np.empty(max(words, 2 * words - 1), np.uint64)
    np.add(hashes, _ONE, out=both[:words])
    pairs = both[words:]
    np.multiply(hashes[:-1], _THREE, out=pairs)
    pairs += hashes[1:]
    pairs += _TWO
    numbers = _bucket(both)
    singles = _distinct(numbers[:words])
    buckets = _distinct(np.concatenate((singles, numbers[words:])))
    scalars = _scalars(raw, ask, full, folded, before + 1, last + 1, len(singles))
    return Seen(buckets.astype(np.int64), singles.astype(np.int64), scalars)


def mark_of(seen: Seen) -> int:
    """A number below `MARKS` by which a prompt is known again: from its words and their pairs."""
    return zlib.crc32(seen.buckets.astype("<u2").tobytes()) % MARKS


def _distinct(numbers: Buckets) -> Buckets:
    if len(numbers) < 2:
        return numbers
    # Two-byte numbers are sorted by their digits, in a time that grows with how many there are.
    numbers = np.sort(numbers, kind="stable")
    first = np.empty(len(numbers), np.bool_)
    first[0] = True
    np.not_equal(numbers[1:], numbers[:-1], out=first[1:])
    return np.asarray(numbers[first])


def _bucket(hashes: npt.NDArray[np.uint64]) -> Buckets:
    hashes *= _MIX
    hashes ^= hashes >> _DOWN
    hashes *= _MIX
    hashes >>= _SHIFT
    return hashes.astype(np.uint16)


def _scalars(
    raw: bytes,
    ask: bytes,
    full: int,
    folded: npt.NDArray[np.uint8],
    starts: Indices,
    ends: Indices,
    variety: int,
) -> Floats:
    length = len(raw)
    words = len(starts)
    lengths = ends - starts
    bytes_seen = np.bincount(np.frombuffer(raw, np.uint8), minlength=256)
    counts = bytes_seen @ _CLASS_OF
    options = raw.find(_OPTIONS)
    end = options if options >= 0 else raw.find(b"\n\n")
    if end < 0:
        end = length
    last = length - raw.rfind(b"\n") - 1
    values = np.zeros(len(SCALARS))
    values[0] = full
    values[1] = words
    values[6] = end
    values[7] = length - end
    values[8] = last
    values[_AT_SHAPES:_AT_CLASSES] = _shapes(raw, ask, lengths, options)
    values[_AT_CLASSES : _AT_CLASSES + len(_CLASSES)] = counts
    sentences = counts[4] + counts[5] + 1
    values[9] = words / sentences
    values[_AT_MARKERS:] = _COUNTED.count(raw)
    values[5] = np.count_nonzero(folded[starts] == 48)
    np.log1p(values, out=values)
    values[2] = int(lengths.sum()) / words if words else 0
    values[3] = np.count_nonzero(lengths > 8) / (words + 1)
    values[4] = variety / (words + 1)
    values[_AT_CLASSES + len(_CLASSES) : _AT_MARKERS] = np.sqrt(counts / (length + 20))
    return values


def _shapes(raw: bytes, ask: bytes, lengths: Indices, options: int) -> list[float]:
    """The values of `_SHAPES`; lettered options begin at the byte `options`, below 0: nowhere."""
    tools = len(raw) - len(ask)
    needed = 0
    if tools:
        for part in raw[len(ask) :].split(b'"required"')[1:]:
            needed += part.partition(b"]")[0].count(b'"') // 2
    low = high = spread = digits = 0.0
    lines: list[bytes] = []
    if options >= 0:
        lines = [line[3:] for line in raw[options + 1 :].split(b"\n") if line[1:3] == b". "]
        sizes = [len(line) for line in lines]
        low, high = min(sizes), max(sizes)
        mean = sum(sizes) / len(sizes)
        spread = math.sqrt(sum((size - mean) ** 2 for size in sizes) / len(sizes))
        digits = sum(1 for line in lines if len(line.translate(None, _DIGITS)) < len(line))
    return [
        len(ask) - len(ask.translate(None, _CAPITALS)),
        ask.count(b" and "),
        ask.count(b'"') + ask.count(b"'"),
        tools,
        needed,
        int(lengths.max()) if len(lengths) else 0,
        int(np.count_nonzero(lengths == 1)),
        len(lines),
        low,
        high,
        spread,
        digits,
    ]
