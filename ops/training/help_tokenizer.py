"""The help model's vocabulary and an encoder that agrees with llama.cpp's SPM tokenizer.

llama.cpp writes every space as U+2581, puts one more before the text, and then joins the pair of
neighbours whose joined text has the best score until no pair is in the vocabulary; characters that
are left over become their UTF-8 bytes. No learned piece here crosses the border between two words
(`WORD`), so joining inside each word gives the same result and can be cached by word.
"""

from __future__ import annotations

import collections
import itertools
import re
from collections.abc import Iterable

SPACE = "\u2581"
UNKNOWN, BEGIN, END = 0, 1, 2
FIRST_BYTE = 3
PRINTABLE = tuple(chr(code) for code in range(0x21, 0x7F))
# Three control pieces, the bytes, the visible space and printable ASCII; then the learned ones.
FIXED_PIECES = FIRST_BYTE + 256 + 1 + len(PRINTABLE)
WORD = re.compile(SPACE + r"?[A-Za-z]+|.", re.DOTALL)


def escape(text: str) -> str:
    """Return `text` as llama.cpp sees it: spaces made visible and one put before."""
    return SPACE + text.replace(" ", SPACE)


class HelpTokenizer:
    """Encoder over the fixed part of the vocabulary and a list of learned pieces, best first."""

    def __init__(self, learned: list[str]) -> None:
        fixed = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
        self.pieces: list[str] = [*fixed, SPACE, *PRINTABLE, *learned]
        self.normal_from = len(fixed)
        self._ids = {piece: index for index, piece in enumerate(self.pieces)}
        if len(self._ids) != len(self.pieces):
            raise ValueError("a piece occurs twice in the vocabulary")
        self._rank = {piece: rank for rank, piece in enumerate(learned)}
        self._known: dict[str, list[int]] = {}

    def scores(self) -> list[float]:
        """Return one score per piece: the later a piece was learned, the lower."""
        return [-float(self._rank.get(piece, 0)) for piece in self.pieces]

    def encode(self, text: str) -> list[int]:
        """Return the ids of a whole prompt, with the beginning-of-text token."""
        return [BEGIN, *self._encode_escaped(escape(text))] if text else [BEGIN]

    def encode_continuation(self, text: str) -> list[int]:
        """Return the ids of text that is generated after a prompt: nothing is put before it."""
        return self._encode_escaped(text.replace(" ", SPACE))

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`; control tokens are empty."""
        out = bytearray()
        for index in ids:
            if FIRST_BYTE <= index < FIRST_BYTE + 256:
                out.append(index - FIRST_BYTE)
            elif index >= self.normal_from:
                out += self.pieces[index].replace(SPACE, " ").encode()
        return out.decode(errors="replace")

    def _encode_escaped(self, escaped: str) -> list[int]:
        ids: list[int] = []
        for word in WORD.findall(escaped):
            known = self._known.get(word)
            if known is None:
                known = self._known[word] = self._join(word)
            ids += known
        return ids

    def _join(self, word: str) -> list[int]:
        symbols = list(word)
        while len(symbols) > 1:
            pairs = [a + b for a, b in itertools.pairwise(symbols)]
            best = min(range(len(pairs)), key=lambda at: self._rank.get(pairs[at], 1 << 30))
            if pairs[best] not in self._rank:
                break
            symbols[best : best + 2] = [pairs[best]]
        ids: list[int] = []
        for symbol in symbols:
            if symbol in self._ids:
                ids.append(self._ids[symbol])
            else:
                ids += [FIRST_BYTE + byte for byte in symbol.encode()]
        return ids


def learn_pieces(texts: Iterable[str], count: int) -> list[str]:
    """Learn `count` pieces by byte-pair merging over the words of `texts`, most frequent first."""
    frequency: collections.Counter[str] = collections.Counter()
    for text in texts:
        frequency.update(word for word in WORD.findall(escape(text)) if len(word) > 1)
    words = [(list(word), times) for word, times in sorted(frequency.items())]
    pairs: collections.Counter[tuple[str, str]] = collections.Counter()
    places: dict[tuple[str, str], set[int]] = collections.defaultdict(set)
    for index, (symbols, times) in enumerate(words):
        for pair in itertools.pairwise(symbols):
            pairs[pair] += times
            places[pair].add(index)
    learned: dict[str, None] = {}
    while len(learned) < count and pairs:
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < 2:
            break
        learned["".join(best)] = None
        for index in sorted(places.pop(best)):
            _merge_in_word(words[index], best, index, pairs, places)
        pairs.pop(best, None)
    return list(learned)


def _merge_in_word(
    word: tuple[list[str], int],
    best: tuple[str, str],
    index: int,
    pairs: collections.Counter[tuple[str, str]],
    places: dict[tuple[str, str], set[int]],
) -> None:
    """Replace `best` by its joined text in one word and keep the pair counts true."""
    symbols, times = word
    for pair in itertools.pairwise(symbols):
        pairs[pair] -= times
    at = 0
    while at < len(symbols) - 1:
        if (symbols[at], symbols[at + 1]) == best:
            symbols[at : at + 2] = ["".join(best)]
        at += 1
    for pair in itertools.pairwise(symbols):
        pairs[pair] += times
        places[pair].add(index)
