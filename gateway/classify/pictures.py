"""Finds the pictures that stand in a request, for whoever reads what they show.

A picture is base64 behind `data:image/…` or that begins as PNG, JPEG, GIF or WebP files do. An SVG
is text, which is read as such; but nobody sees here what it shows, as with pictures that are only
linked to.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from gateway.core.findings import Finding
from gateway.core.request import ChatRequest, Segment
from gateway.core.second_stage import Looked

#: Pictures of one request that are read; one with more counts as unread.
MOST_PICTURES = 16
#: What `Profile.failed` calls pictures that could not be read.
PICTURE = "picture"

# The bare ones are the first bytes of such files in base64; RIFF files of sounds are left out.
_PICTURE = re.compile(
    r"data:image/(?!svg)[\w.+-]{1,40}(?:;[\w=.+-]{1,40}){0,4};base64,(?P<named>[A-Za-z0-9+/_-]{16,})"
    r"|(?<![A-Za-z0-9+/=_-])(?P<bare>(?:iVBORw0KGgo|/9j/|R0lGOD[dl]|UklGR[A-Za-z0-9+/_-]{7}RUJQ)"
    r"[A-Za-z0-9+/_-]{40,})"
)


#: Where the APIs have pictures: OpenAI's two, and Anthropic's sources.
_PLACES = ("/image_url/url", "/image_url", "/source/data", "/source/url")


class Picture(msgspec.Struct, frozen=True):
    """One picture: the string that it stands in, its place there (end exclusive), its bytes."""

    segment: int
    start: int
    end: int
    raw: bytes


def pictures_of(request: ChatRequest) -> tuple[tuple[Picture, ...], bool]:
    """The pictures in a request, and whether it has more than those: linked ones, or too many.

    Only what stands where an API wants a picture counts against the number of pictures, so that
    one in the text does not stand in for one that is linked.
    """
    found = tuple(islice(_pictures(request), MOST_PICTURES + 1))
    places = {number for number, one in enumerate(request.segments) if _is_wanted(one)}
    here = {one.segment for one in found} & places
    linked = any(request.segments[number].text[:5] != "data:" for number in places - here)
    more = linked or len(found) > MOST_PICTURES or len(here) < request.images
    return found[:MOST_PICTURES], more


def _is_wanted(segment: Segment) -> bool:
    return segment.kind != "key" and segment.pointer.endswith(_PLACES)


def shown(
    pictures: Sequence[Picture], types: Sequence[Sequence[tuple[str, float]]], *, unread: bool
) -> Looked:
    """What pictures show as findings: each stands where its picture stands.

    Args:
        pictures: those that were read.
        types: the types that were found in each one's text, with their confidence.
        unread: whether something could not be read.
    """
    return Looked(
        findings=tuple(
            Finding(type=kind, start=one.start, end=one.end, confidence=sure, segment=one.segment)
            for one, there in zip(pictures, types, strict=True)
            for kind, sure in there
        ),
        failure="unread" if unread else "",
    )


def _pictures(request: ChatRequest) -> Iterator[Picture]:
    for number, segment in enumerate(request.segments):
        for match in _PICTURE.finditer(segment.text):
            which = "named" if match["named"] is not None else "bare"
            body = match[which].replace("-", "+").replace("_", "/")
            body = body[: len(body) - (len(body) % 4 == 1)]
            raw = binascii.a2b_base64(body + "=" * (-len(body) % 4))
            yield Picture(number, *match.span(which), raw)
