"""The public vocabularies: made at set-up from an installed package, read at start, never fetched.

    python -m gateway.config.vocabularies [FOLDER]     make what is missing or wrong

The package `rs_bpe` carries cl100k_base and o200k_base. Decoded token by token and written in
tiktoken's format they are the very files that tiktoken would download: their SHA-256 is checked,
and they are named as tiktoken's cache names them, so that TIKTOKEN_CACHE_DIR may point here. The
gateway reads them itself, because tiktoken would go to the network for one that is missing.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
import tiktoken

from gateway.core.token_families import CL100K, O200K, Vocabulary

#: Where set-up puts them: they belong to the installation, not to one gateway's home.
FOLDER = Path(sys.prefix) / "share" / "fairlead" / "vocabularies"
#: What makes them again.
CURE = "python -m gateway.config.vocabularies"

#: Characters that one call of tiktoken gets at most: its pattern for white space overflows its
#: stack somewhere below a million, and a run of one letter takes 0.5 ms a kB.
_PIECE = 16_384
#: How far behind a piece a place to cut is looked for; further on, shorter pieces are cut.
_SEARCH = 2_048
#: Texts of so many characters and more are counted once as long as they are remembered, and how
#: many are. Kept are 64 bits of a hash that nobody outside can know, the length, and the count.
_WORTH_KNOWING = 256
_MOST_KNOWN = 20_000
#: Where both vocabularies cut, whatever stands around: before a single space inside a line, after
#: a line end, and between a letter or digit and a mark that is not an apostrophe.
_CUT = re.compile(
    r"(?<=\S)(?= \S)|(?<=\n)(?=[^\s/])"
    "|(?<=[A-Za-z0-9\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3])"
    "(?=[!-&(-/:-@\\[-`{-~\u3001\u3002\uff0c\uff01\uff1f])"
)
_MARKS = r"[^\s\p{L}\p{N}]"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_ENDING = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"


class VocabularyError(RuntimeError):
    """A vocabulary cannot be made or read; the message says what to do."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a vocabulary what it is: the checksum of its file and how texts are cut up.

    `size` is the number of its tokens without the special ones. `pattern` matches what tiktoken's
    own pattern for it matches; the tests compare them.
    """

    name: str
    size: int
    sha256: str
    pattern: str

    def file(self, folder: Path) -> Path:
        """Its file, by the name that tiktoken's cache would have it."""
        url = f"https://openaipublic.blob.core.windows.net/encodings/{self.name}.tiktoken"
        return folder / hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        O200K: Source(
            name=O200K,
            size=199_998,
            sha256="446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
            pattern="|".join(
                (
                    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_ENDING}",
                    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_ENDING}",
                    r"\p{N}{1,3}",
                    rf" ?{_MARKS}+[\r\n/]*",
                    r"\s*[\r\n]+",
                    r"\s+(?!\S)",
                    r"\s+",
                )
            ),
        ),
        CL100K: Source(
            name=CL100K,
            size=100_256,
            sha256="223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
            pattern=r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
            rf"| ?{_MARKS}++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        ),
    }
)


class TiktokenVocabulary:
    """Counts with tiktoken; it may be used from several threads at a time.

    `piece` is the number of characters from which on a text is cut before tiktoken gets it, and
    `search` how far behind that a place to cut is looked for.
    """

    def __init__(
        self, encoding: tiktoken.Encoding, piece: int = _PIECE, search: int = _SEARCH
    ) -> None:
        self._encoding = encoding
        self._piece = piece
        self._search = search
        self._known: dict[tuple[int, int], int] = {}

    def count(self, text: str) -> int:
        """The number of tokens of a text.

        Where a run longer than a piece has no place to cut, it counts by its bytes.
        """
        if len(text) < _WORTH_KNOWING:
            return self._count(text)
        # Each turn of a conversation brings all turns before it again.
        name = (hash(text), len(text))
        found = self._known.get(name)
        if found is None:
            found = self._count(text)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[name] = found
        return found

    def _count(self, text: str) -> int:
        start, total, room = 0, 0, self._piece + self._search
        while len(text) - start > room:
            end = self._cut(text, start)
            total += self._count_piece(text[start:end], room)
            start = end
        return total + self._count_piece(text[start:], room)

    def _count_piece(self, text: str, room: int) -> int:
        if len(text) <= room:
            return len(self._encoding.encode_ordinary(text))
        # Between two cuts it is read as if it stood alone, and has no more tokens than bytes.
        return len(text.encode("utf-8", "surrogatepass"))

    def _cut(self, text: str, start: int) -> int:
        """Where to cut next: a little behind a piece, or else before its end, or else far on."""
        full = start + self._piece
        found = _CUT.search(text, full, full + self._search)
        if found is not None:
            return found.start()
        last = 0
        for earlier in _CUT.finditer(text, start + 1, full):
            last = earlier.start()
        if last > start:
            return last
        later = _CUT.search(text, full)
        return len(text) if later is None else later.start()


def make_vocabularies(folder: Path = FOLDER) -> list[str]:
    """Make the files that are missing or wrong, and tell which; nothing is fetched.

    Raises:
        VocabularyError: the package does not give the bytes that tiktoken expects.
        OSError: the folder cannot be written.
    """
    made = []
    for source in SOURCES.values():
        if not _is_right(source, folder):
            _write(source.file(folder), _told_by_package(source))
            made.append(source.name)
    return made


def missing_vocabularies(folder: Path = FOLDER) -> list[str]:
    """Those whose files are not there or not what they should be."""
    return [source.name for source in SOURCES.values() if not _is_right(source, folder)]


def load_vocabularies(
    folder: Path = FOLDER, names: Iterable[str] = tuple(SOURCES)
) -> dict[str, Vocabulary]:
    """Those of the names that are there; about 0.3 s and 50 MB for the larger one."""
    found: dict[str, Vocabulary] = {}
    for name in names:
        source = SOURCES[name]
        text = _read(source, folder)
        if text is not None:
            found[name] = _built(source, text)
    return found


class Vocabularies:
    """The vocabularies of one folder, each read when it is first asked for."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._read: dict[str, Vocabulary | None] = {}

    def has(self, names: Iterable[str]) -> bool:
        """Whether all of them have been read, or looked for in vain."""
        return all(name in self._read for name in names)

    def get(self, names: Iterable[str]) -> dict[str, Vocabulary]:
        """Those of the names that are there."""
        for name in names:
            if name not in self._read:
                self._read[name] = load_vocabularies(self._folder, (name,)).get(name)
        found = {name: self._read[name] for name in names}
        return {name: one for name, one in found.items() if one is not None}


def _built(source: Source, text: bytes) -> Vocabulary:
    ranks = {}
    for line in text.splitlines():
        token, _, rank = line.partition(b" ")
        ranks[b64decode(token)] = int(rank)
    encoding = tiktoken.Encoding(
        name=source.name, pat_str=source.pattern, mergeable_ranks=ranks, special_tokens={}
    )
    # Counting needs them no more, and they are 30 MB that the encoding would keep alive.
    ranks.clear()
    return TiktokenVocabulary(encoding)


def _told_by_package(source: Source) -> bytes:
    # Its machine code carries both vocabularies, 25 MB; only set-up needs them.
    from rs_bpe.bpe import openai

    tokens = getattr(openai, source.name)().bpe()
    lines = [
        b64encode(bytes(tokens.decode_tokens([rank]))) + b" %d\n" % rank
        for rank in range(source.size)
    ]
    text = b"".join(lines)
    if hashlib.sha256(text).hexdigest() != source.sha256:
        raise VocabularyError(
            f"the installed rs_bpe has another {source.name} than tiktoken expects; "
            "install the locked version: sh ops/run.sh --setup-only"
        )
    return text


def _write(path: Path, text: bytes) -> None:
    """Whole or not at all, whoever else writes it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    with os.fdopen(handle, "wb") as file:
        file.write(text)
    Path(draft).chmod(0o644)
    Path(draft).replace(path)


def _read(source: Source, folder: Path) -> bytes | None:
    try:
        text = source.file(folder).read_bytes()
    except OSError:
        return None
    return text if hashlib.sha256(text).hexdigest() == source.sha256 else None


def _is_right(source: Source, folder: Path) -> bool:
    return _read(source, folder) is not None


def main(arguments: list[str]) -> int:
    """Make them; 0 when all are there."""
    folder = Path(arguments[0]) if arguments else FOLDER
    try:
        made = make_vocabularies(folder)
    except (VocabularyError, ImportError, OSError) as problem:
        print(f"fairlead: no exact token counts: {problem}", file=sys.stderr)
        return 1
    if made:
        print(f"fairlead: made {', '.join(made)} in {folder}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
