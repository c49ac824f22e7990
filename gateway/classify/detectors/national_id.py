"""National, tax and health numbers that carry a check of their own.

Bad: `110101196605150701`, `756.8308.0089.11`. Good: random digits of the same length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec

from gateway.classify.detectors.base import (
    LONGEST_BARE_VALUE,
    Detector,
    Found,
    NumberRun,
    View,
    isolated,
    near,
    places,
    whole,
    words,
)
from gateway.classify.detectors.national_id_schemes import (
    BARE,
    LETTERED,
    MOST_BEFORE,
    NUMBERS,
    Check,
)


class Scheme(msgspec.Struct, frozen=True):
    """A country's number: its written shape, its check, and how far these tell."""

    type: str
    shape: re.Pattern[str]
    check: Check | None
    telling: str


# Any word of identity, and those that speak of a person's papers, in the languages of the schemes.
_CONTEXT = words(
    r"\bid\b|\bids\b|ident|national|citizen|person|social|insurance|\bnhs\b|"
    r"patient|tax|\bpin\b|pesel|aadhaar|fodsels|bsn|cpf|resident|birth|born|ssn|payroll|employee|"
    r"\bnir\b|secu|steuer|\bnummer|numero|rrn|applicant|pnr|document|kimlik|cedula|carnet|"
    r"passport|licen[cs]e|\bnik\b|customer|client|member|policy ?holder|kennitala|egn|\brc\b"
)
_PERSONAL = words(
    r"national|citizen|personal|social|insur|\bnhs\b|patient|\btax|resident|ssn|payroll|"
    r"employee|secu|steuer|applicant|document|kimlik|cedula|identity|identification|passport|fiscal|"
    r"provider|medicare|physician|arzt|contribu|impuest|impost|skatt|belasting|podat|"
    r"\bid (?:number|no|card|is)|\b(?:my|his|her|their|your) id\b|\bthai id|\bas your id|"
    r"aadhaar|\bpan\b|\bnric\b|\bnpi\b|\blanr\b|routing|\baba\b|\bsin\b|\btfn\b|\bbsn\b"
)
_ANY = words(f"{_CONTEXT.pattern}|{_PERSONAL.pattern}")
_NOT_A_PERSON = words(
    r"\bbuild|\bversion|\brelease|\border|\binvoice|\bticket|\brev\b|\blot\b|\bserial|\bisbn|"
    r"\bean\b|\bpart\b|\bsku\b|tracking|\bgtin|\bupc\b|request|\bcas\b|\btrace"
)


def masks_of(shape: str) -> frozenset[str]:
    """Every way to write a number of this shape, with a `d` for each digit."""
    return frozenset(_masks(list(re._parser.parse(shape))))  # type: ignore[attr-defined]


def _masks(parsed: list[Any]) -> list[str]:
    written = [""]
    for op, argument in parsed:
        name = str(op)
        if name == "LITERAL":
            options = ["d" if chr(argument).isdigit() else chr(argument)]
        elif name == "IN":
            options = sorted({"d" if _digit(*one) else chr(one[1]) for one in argument})
        elif name == "MAX_REPEAT":
            low, high, inner = argument
            options = []
            for times in range(low, high + 1):
                options += _masks(list(inner) * times)
        else:
            options = _masks(list(argument[3])) if name == "SUBPATTERN" else _branches(argument)
        written = [before + option for before in written for option in options]
    return written


def _branches(argument: Any) -> list[str]:
    return [mask for branch in argument[1] for mask in _masks(list(branch))]


def _digit(op: object, argument: Any) -> bool:
    name = str(op)
    if name == "LITERAL":
        return chr(argument).isdigit()
    if name == "RANGE":
        return chr(argument[0]).isdigit()
    return str(argument) == "CATEGORY_DIGIT"


def separators_of(mask: str) -> list[str]:
    """The signs between the digits of a mask, each once and in order."""
    return sorted(set(mask) - {"d"})


def _by_mask() -> dict[str, tuple[Scheme, ...]]:
    found: dict[str, list[Scheme]] = {}
    for kind, shape, check, telling in NUMBERS:
        scheme = Scheme(kind, re.compile(shape), check, telling)
        for mask in masks_of(shape):
            found.setdefault(mask, []).append(scheme)
    return {mask: tuple(schemes) for mask, schemes in found.items()}


_BY_MASK = _by_mask()
#: Masks without separators by their length, and the others by the separators that they need.
_SOLID = {len(mask): mask for mask in _BY_MASK if set(mask) == {"d"}}
_SEPARATED = tuple(
    (frozenset(needed), tuple(masks))
    for needed, masks in groupby(
        sorted((mask for mask in _BY_MASK if set(mask) != {"d"}), key=separators_of), separators_of
    )
)
#: Masks of schemes that need no word beside them.
_PLAIN = frozenset(
    mask
    for mask, schemes in _BY_MASK.items()
    if any(scheme.telling == "plain" for scheme in schemes)
)
_LETTERED: tuple[Scheme, ...] = tuple(
    Scheme(kind, re.compile(rf"(?<![A-Za-z0-9])(?:{shape})(?![A-Za-z0-9])", re.I), check, telling)
    for kind, _, shape, check, telling in LETTERED
)
_BARE = tuple((kind, re.compile(shape, re.I)) for kind, shape in BARE)
_ANCHORS = tuple(anchor for _, anchors, _, _, _ in LETTERED for anchor in anchors)
_SCHEME_OF = tuple(number for number, (_, anchors, _, _, _) in enumerate(LETTERED) for _ in anchors)


def _lettered(view: View, which: int, start: int, end: int) -> Found | None:
    scheme = _LETTERED[_SCHEME_OF[which]]
    match = scheme.shape.search(view.text, max(0, start - MOST_BEFORE), end + 12)
    if match is None or match.start() > start + 1 or match.end() < end - 1:
        return None
    shown = match.group().upper()
    if scheme.check is not None and not scheme.check(shown):
        return None
    if scheme.telling != "plain" and not _told(view, scheme, *match.span()):
        return None
    return Found(scheme.type, *match.span(), 0.93)


def _look(view: View, run: NumberRun) -> Iterator[Found]:
    # Where no word of identity stands around the run or in it, only telling shapes are asked.
    told = _alone(view, run.start, run.end) or near(view, run.start, run.end, _ANY, 50, 24)
    for start, end in run.groups:
        mask = _SOLID.get(end - start)
        if mask is not None and (told or mask in _PLAIN):
            yield from _judge(view, mask, start, end, told)
    separators = frozenset(run.mask)
    for needed, masks in _SEPARATED:
        if needed <= separators:
            for mask in masks:
                if (told or mask in _PLAIN) and mask in run.mask:
                    for start in places(run, mask):
                        yield from _judge(view, mask, start, start + len(mask), told)


def _judge(view: View, mask: str, start: int, end: int, told: bool) -> Iterator[Found]:
    shown = view.text[start:end]
    standing: dict[str, bool] = {}
    for scheme in _BY_MASK[mask]:
        if (scheme.telling != "plain" and not told) or scheme.shape.fullmatch(shown) is None:
            continue
        # What stands around a place is the same for all schemes that are told in the same way.
        if scheme.telling not in standing:
            standing[scheme.telling] = _stands(view, scheme, start, end)
        if standing[scheme.telling] and (scheme.check is None or scheme.check(shown)):
            yield Found(scheme.type, start, end, 0.97 if scheme.telling == "plain" else 0.88)


def _stands(view: View, scheme: Scheme, start: int, end: int) -> bool:
    if not _whole(view, start, end) or len(set(view.text[start:end])) <= 2:
        return False
    if near(view, start, end, _NOT_A_PERSON, 24, 0):
        return False
    return scheme.telling == "plain" or _told(view, scheme, start, end)


def _told(view: View, scheme: Scheme, start: int, end: int) -> bool:
    # Among numbers of nine or ten digits too many pass some country's check by chance.
    shown = view.text[start:end]
    if (scheme.telling != "weak" or len(shown) > 10 or not shown.isdigit()) and _alone(
        view, start, end
    ):
        return True
    told = _CONTEXT if scheme.telling == "dated" else _PERSONAL
    return near(view, start, end, told, 50, 24)


def _alone(view: View, start: int, end: int) -> bool:
    """Whether the text is this number and nothing else: an answer, a cell, a field."""
    text = view.text
    if len(text) - (end - start) > 4 or len(text) > LONGEST_BARE_VALUE:
        return False
    return not any(c.isalnum() for c in text[:start] + text[end:])


def _whole(view: View, start: int, end: int) -> bool:
    text = view.text
    if not isolated(view, start, end):
        return False
    before, after = text[start - 1 : start], text[end : end + 2]
    return before not in (".", "-", "+") and not (
        len(after) == 2 and after[0] in ".-" and after[1].isdigit()
    )


def _bare(view: View) -> Found | None:
    for kind, shape in _BARE:
        match = whole(view, shape)
        if match is not None and isolated(view, *match.span()):
            return Found(kind, *match.span(), 0.6)
    return None


DETECTOR = Detector(
    name="national_id",
    anchors=_ANCHORS,
    look=_lettered,
    look_at_number=_look,
    look_at_value=_bare,
)
