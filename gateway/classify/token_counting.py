"""How many tokens each tokenizer family makes of a request, with the vocabularies that are there.

What people, models and tools said is counted text by text. What stands around it (schemas, tools,
the JSON of the conversation) reaches a model in a form that its vendor does not publish: it counts
double, but never more than a token a byte. A text that an exact count would take too long for is
cut where every vocabulary here cuts, or else counts by its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import ceil

import msgspec
import numpy as np

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
    BYTES,
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
_ACCENTED = re.compile("[\u00a0-\u036f\u1e00-\u1eff]")
_GREEK_CYRILLIC = re.compile("[\u0370-\u052f]")
_EASTERN = re.compile("[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]")
_OTHER = re.compile(
    "[^\x00-\u052f\u1e00-\u1eff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]+"
)
_DIGITS = b"0123456789"


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
        """The tokens that weights make of it, rounded up; at most one a byte."""
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
        return min(ceil(total), self.size)


def amounts_of(text: str, vocabulary: Vocabulary) -> Amounts:
    """The amounts of a text, with its tokens of o200k_base."""
    raw = text.encode("utf-8", "surrogatepass")
    found = Amounts(
        texts=1,
        size=len(raw),
        tokens=vocabulary.count(text),
        digits=len(raw) - len(raw.translate(None, _DIGITS)),
        repeated=_repeated(raw),
    )
    if len(raw) == len(text):
        return found
    return msgspec.structs.replace(
        found,
        accented=len(_ACCENTED.findall(text)),
        greek_cyrillic=len(_GREEK_CYRILLIC.findall(text)),
        eastern=len(_EASTERN.findall(text)),
        other_bytes=sum(len(run.encode("utf-8", "surrogatepass")) for run in _OTHER.findall(text)),
    )


def _repeated(raw: bytes) -> int:
    """How many bytes are like the two before them; spaces and line ends do not count."""
    units = np.frombuffer(raw, np.uint8)
    alike = (units[1:] == units[:-1]) & (units[1:] > 0x20)
    return int(np.count_nonzero(alike[1:] & alike[:-1]))


class Texts:
    """Texts whose tokens are counted at most once with each vocabulary.

    Raises:
        KeyError: o200k_base is not among the vocabularies.
    """

    def __init__(self, texts: Sequence[str], vocabularies: Mapping[str, Vocabulary]) -> None:
        self._texts = texts
        self._vocabularies = vocabularies
        base = vocabularies[O200K]
        self.amounts = sum((amounts_of(text, base) for text in texts), Amounts())
        self._counts = {O200K: self.amounts.tokens}

    def tokens(self, family: TokenFamily) -> FamilyTokens:
        """What a family makes of them."""
        if family.vocabulary in self._vocabularies:
            count = self._count(family.vocabulary)
            return FamilyTokens(family=family.name, expected=count, upper_bound=count)
        most = self.amounts.size if family.name == BYTES else self.amounts.weighed(family.most)
        likely = min(self.amounts.weighed(family.likely), most)
        return FamilyTokens(family=family.name, expected=likely, upper_bound=most)

    def _count(self, name: str) -> int:
        if name not in self._counts:
            vocabulary = self._vocabularies[name]
            self._counts[name] = sum(vocabulary.count(text) for text in self._texts)
        return self._counts[name]


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
    most = tokens.upper_bound
    kept = [
        # The estimate before this one was a bound, too.
        msgspec.structs.replace(
            one, expected=min(one.expected, most), upper_bound=min(one.upper_bound, most)
        )
        for one in found.values()
    ]
    return msgspec.structs.replace(
        tokens,
        expected=min(found[O200K].expected, most),
        families=tuple(sorted(kept, key=lambda one: one.family)),
        images=request.images,
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
        known = self.said.amounts.size + self.file_bytes + sum(map(len, fields))
        self.around = max(0, request.size - known) // _BYTES_AROUND if request.fields else 0
        self.request = request

    def tokens(self, family: TokenFamily) -> FamilyTokens:
        """What a family makes of the whole."""
        request, needs = self.request, self.request.needs
        said, told = self.said.tokens(family), self.told.tokens(family)
        told_most = min(2 * told.upper_bound, self.told.amounts.size)
        always = template_tokens(request) + request.token_ids
        added = TOKENS_FOR_TOOLS if needs.tools else 0
        # A backend without schemas is told the schema in words, and once more what was wrong.
        added += told_most + TOKENS_FOR_GUIDANCE if needs.schema else 0
        files = self.file_bytes // FILE_BYTES_PER_TOKEN if needs.documents else 0
        shown = told.expected if needs.tools or needs.schema else 0
        likely = said.expected + shown + files + request.images * LIKELY_TOKENS_PER_IMAGE
        most = said.upper_bound + told_most + self.around + self.file_bytes + added
        return FamilyTokens(
            family=family.name,
            expected=likely + always,
            upper_bound=most + always + request.images * DEAREST_IMAGE,
        )


def _field(segment: Segment) -> str:
    """The top-level field that a string stands in; empty for a bare text."""
    return segment.pointer[1:].split("/", 1)[0]
