"""Pages that an answer rests on, as OpenAI's wires tell them: annotations of kind `url_citation`.

Chat nests the citation in a field of its own name; Responses does not.
"""

from __future__ import annotations

from typing import Any

from gateway.core.conversation import Cited
from gateway.wire.lenient import count_of, dict_of, list_of, text_of

Block = dict[str, Any]
_KIND = "url_citation"


def read_annotations(found: object) -> list[Cited]:
    """The citations among a list of annotations, nested or not."""
    return [
        cited
        for annotation in map(dict_of, list_of(found))
        if (cited := read_annotation(annotation)) is not None
    ]


def read_annotation(annotation: Block) -> Cited | None:
    """One annotation; None where it cites no page."""
    held = dict_of(annotation.get(_KIND)) or annotation
    url = text_of(held.get("url"))
    if annotation.get("type") != _KIND or not url:
        return None
    return Cited(
        url=url,
        title=text_of(held.get("title")),
        start=count_of(held.get("start_index")),
        end=count_of(held.get("end_index")),
    )


def flat_annotation(cited: Cited, before: int = 0) -> Block:
    """As Responses tells it; `before` characters of the answer stand in earlier parts."""
    return {
        "type": _KIND,
        "url": cited.url,
        "title": cited.title,
        "start_index": max(0, cited.start - before),
        "end_index": max(0, cited.end - before),
    }


def nested_annotation(cited: Cited) -> Block:
    """As Chat tells it."""
    flat = flat_annotation(cited)
    return {"type": flat.pop("type"), _KIND: flat}
