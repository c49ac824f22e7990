"""How many tokens each tokenizer family makes of a request, with the vocabularies that are there.

What people, models and tools said is counted text by text. What stands around it (schemas, tools,
the JSON of the conversation) reaches a model in a form that its vendor does not publish: it counts
double, but never more than a token a byte. A text that an exact count would take too long for is
cut where every vocabulary here cuts, or else counts by its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.classify.code_points import CodePoints, code_points
from gateway.classify.tokens import (
    FILE_BYTES_PER_TOKEN,
    LIKELY_TOKENS_PER_IMAGE,
    TOKENS_FOR_GUIDANCE,
    TOKENS_FOR_TOOLS,
    is_inline,
    template_tokens,
)
from gateway.core.profile import FamilyTokens, TokenEstimate
from gateway.core.request import ChatRequest, Segment
from gateway.core.token_families import (
    DEAREST_IMAGE,
    FAMILIES,
    O200K,
    TokenFamily,
    Vocabulary,
    Weights,
)

#: Fields whose strings a model reads as text; the others' JSON is told to it in other ways.
_SAID = frozenset(("messages", "input", "prompt", "system", "instructions", ""))
#: Bytes of the JSON around what is said for each token that it stands for; the shortest message
#: has 28 of them, and chat templates add 3 or 4 tokens besides, which are counted apart.
_BYTES_AROUND = 16
#: Code points by what families differ in, from and to before.
_ACCENTED = ((0xA0, 0x370), (0x1E00, 0x1F00))
_GREEK_CYRILLIC = ((0x370, 0x530),)
_EASTERN = ((0x2E80, 0xA000), (0xAC00, 0xD800), (0xF900, 0xFB00), (0xFF00, 0xFFF0))
_DIGITS = b"0123456789"

_Flags = npt.NDArray[np.bool_]


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """What texts have of everything that families differ in; see `Weights`. `size` is in bytes."""

    texts: int = 0
    size: int = 0
    tokens: int = 0
    digits: int = 0
    accented: int = 0
    greek_cyrillic: int = 0
    eastern: int = 0
    other_bytes: int = 0
    repeated: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        names = self.__struct_fields__
        return Amounts(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def weighed(self, weights: Weights) -> int:
        """The tokens that weights make of it, rounded up; at most the bound by bytes."""
        total = (
            weights.always * self.texts
            + weights.token * self.tokens
            + weights.digit * self.digits
            + weights.accented * self.accented
            + weights.greek_cyrillic * self.greek_cyrillic
            + weights.eastern * self.eastern
            + weights.other_byte * self.other_bytes
            + weights.repeated * self.repeated
        )
        return min(ceil(total), self.bytes_bound)

    @property
    def bytes_bound(self) -> int:
        """One token a byte, and one for the space that SentencePiece puts before a text."""
        return self.size + self.texts


def amounts_of(text: str, tokens: int) -> Amounts:
    """The amounts of a text that has so many tokens of o200k_base."""
    raw = text.encode("utf-8", "surrogatepass")
    found = Amounts(
        texts=1,
        size=len(raw),
        tokens=tokens,
        digits=len(raw) - len(raw.translate(None, _DIGITS)),
        repeated=_repeated(raw),
    )
    if len(raw) == len(text):
        return found
    codes = code_points(text)
    foreign = codes[codes > 0x7F]
    accented, greek_cyrillic, eastern = (
        _within(foreign, ranges) for ranges in (_ACCENTED, _GREEK_CYRILLIC, _EASTERN)
    )
    other = foreign[~(accented | greek_cyrillic | eastern)]
    sizes = 2 + (other > 0x7FF) + (other > 0xFFFF)
    return msgspec.structs.replace(
        found,
        accented=int(np.count_nonzero(accented)),
        greek_cyrillic=int(np.count_nonzero(greek_cyrillic)),
        eastern=int(np.count_nonzero(eastern)),
        other_bytes=int(sizes.sum()),
    )


def _within(codes: CodePoints, ranges: tuple[tuple[int, int], ...]) -> _Flags:
    """Which of the code points lie in one of the ranges."""
    found = np.zeros(len(codes), np.bool_)
    for first, end in ranges:
        found |= (codes >= first) & (codes < end)
    return found


def _repeated(raw: bytes) -> int:
    """How many bytes are like the two before them; spaces and line ends do not count."""
    units = np.frombuffer(raw, np.uint8)
    alike = (units[1:] == units[:-1]) & (units[1:] > 0x20)
    return int(np.count_nonzero(alike[1:] & alike[:-1]))


class Texts:
    """Texts whose tokens are counted at most once with each vocabulary, and only if need be.

    `vocabularies` must have o200k_base; `size` is in bytes.
    """

    def __init__(self, texts: Sequence[str], vocabularies: Mapping[str, Vocabulary]) -> None:
        self._texts = texts
        self._vocabularies = vocabularies
        self._counts: dict[str, list[int]] = {}
        self._amounts: Amounts | None = None
        self.size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)

    def tokens(self, family: TokenFamily) -> FamilyTokens:
        """What a family makes of them."""
        if family.vocabulary in self._vocabularies:
            count = sum(self._count(family.vocabulary))
            return FamilyTokens(
                family=family.name, expected=count, upper_bound=count, calibrated=count
            )
        amounts = self._amount()
        return FamilyTokens(
            family=family.name,
            expected=amounts.weighed(family.likely),
            upper_bound=amounts.bytes_bound,
            calibrated=amounts.weighed(family.most),
        )

    def _count(self, name: str) -> list[int]:
        if name not in self._counts:
            vocabulary = self._vocabularies[name]
            self._counts[name] = [vocabulary.count(text) for text in self._texts]
        return self._counts[name]

    def _amount(self) -> Amounts:
        if self._amounts is None:
            pairs = zip(self._texts, self._count(O200K), strict=True)
            self._amounts = sum((amounts_of(*pair) for pair in pairs), Amounts())
        return self._amounts


def counted(
    request: ChatRequest,
    tokens: TokenEstimate,
    families: Iterable[str],
    vocabularies: Mapping[str, Vocabulary],
) -> TokenEstimate:
    """The estimate with what each of the families makes of the request.

    Without a vocabulary that a family needs, its figures stay those that hold for any. The likely
    number of the whole becomes that of o200k_base where it is there.
    """
    if O200K not in vocabularies:
        return tokens
    reading = _Reading(request, vocabularies)
    found = {name: reading.tokens(FAMILIES[name]) for name in {O200K, *families}}
    kept = [_clipped(one, tokens.upper_bound) for one in found.values()]
    return msgspec.structs.replace(
        tokens,
        expected=min(found[O200K].expected, tokens.upper_bound),
        families=tuple(sorted(kept, key=lambda one: one.family)),
        images=request.images,
    )


def _clipped(one: FamilyTokens, most: int) -> FamilyTokens:
    """What a family makes of it, where another bound was known."""
    bound = min(one.upper_bound, most)
    calibrated = min(one.calibrated, bound)
    return msgspec.structs.replace(
        one,
        expected=min(one.expected, calibrated),
        upper_bound=bound,
        calibrated=calibrated,
    )


class _Reading:
    """A request taken apart: what is said in it, what stands around that, and what is added."""

    def __init__(self, request: ChatRequest, vocabularies: Mapping[str, Vocabulary]) -> None:
        said = [one for one in request.segments if _field(one) in _SAID]
        files = [one for one in said if is_inline(one)]
        texts = [one.text for one in said if not is_inline(one)]
        fields = [bytes(raw) for name, raw in request.fields.items() if name not in _SAID]
        self.said = Texts(texts, vocabularies)
        self.told = Texts([raw.decode("utf-8", "replace") for raw in fields], vocabularies)
        self.file_bytes = sum(len(one.text) for one in files)
        known = self.said.size + self.file_bytes + sum(map(len, fields))
        self.around = max(0, request.size - known) // _BYTES_AROUND if request.fields else 0
        self.request = request

    def tokens(self, family: TokenFamily) -> FamilyTokens:
        """What a family makes of the whole."""
        request, needs = self.request, self.request.needs
        said, told = self.said.tokens(family), self.told.tokens(family)
        always = template_tokens(request) + request.token_ids
        files = self.file_bytes // FILE_BYTES_PER_TOKEN if needs.documents else 0
        shown = told.expected if needs.tools or needs.schema else 0
        likely = said.expected + shown + files + request.images * LIKELY_TOKENS_PER_IMAGE

        def bound(said: int, told: int) -> int:
            told = min(2 * told, self.told.size)
            added = TOKENS_FOR_TOOLS if needs.tools else 0
            # A backend without schemas is told it in words, and once more what was wrong.
            added += told + TOKENS_FOR_GUIDANCE if needs.schema else 0
            around = self.around + self.file_bytes + request.images * DEAREST_IMAGE
            return said + told + around + added + always

        return FamilyTokens(
            family=family.name,
            expected=likely + always,
            upper_bound=bound(said.upper_bound, told.upper_bound),
            calibrated=bound(said.calibrated, told.calibrated),
        )


def _field(segment: Segment) -> str:
    """The top-level field that a string stands in; empty for a bare text."""
    return segment.pointer[1:].split("/", 1)[0]
