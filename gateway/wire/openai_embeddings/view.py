"""Raw bytes of an embeddings request to a `ChatRequest` view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.errors import InvalidRequest
from gateway.core.request import ChatRequest
from gateway.wire.document import check_model, check_types, read_object, read_segments
from gateway.wire.strings import Place

WIRE = "openai_embeddings"

_FIELD_TYPES: Mapping[str, tuple[type, ...]] = {
    "model": (str,),
    "input": (str, list),
    "encoding_format": (str,),
    "dimensions": (int,),
    "user": (str,),
}
_KNOWN_WORDS = frozenset(_FIELD_TYPES) | {"float", "base64"}
#: The most inputs that OpenAI takes in one request; no server is known to take more.
_MOST_INPUTS = 2048


def decode(raw: bytes) -> ChatRequest:
    """Read an embeddings request.

    No answer has output tokens, so `choices` is 0 and nothing is held or capped for output.

    Raises:
        InvalidRequest: the bytes are not JSON or ambiguous, or the input is none; `param` names
            the field.
    """
    fields, document = read_object(raw)
    segments = read_segments(raw, document, known_words=_KNOWN_WORDS, role=_role, kind=_kind)
    check_types(document, _FIELD_TYPES)
    model = check_model(document)
    texts, token_ids = _inputs(document.get("input"))
    dimensions = document.get("dimensions")
    if dimensions is not None and dimensions < 1:
        raise InvalidRequest("'dimensions' must be at least 1.", param="dimensions")
    return ChatRequest(
        wire=WIRE,
        fields=fields,
        model=model,
        segments=segments,
        size=len(raw),
        choices=0,
        prompt="\n".join(texts),
        turns=0,
        token_ids=token_ids,
    )


def _inputs(found: Any) -> tuple[list[str], int]:
    """The texts, and how many token ids stand in place of text."""
    if isinstance(found, str) and found:
        return [found], 0
    if not isinstance(found, list) or not found:
        raise InvalidRequest(
            "'input' must be a text, or an array of texts, of token ids or of arrays of token ids.",
            param="input",
        )
    if len(found) > _MOST_INPUTS and not _are_tokens(found):
        raise InvalidRequest(f"'input' has more than {_MOST_INPUTS} entries.", param="input")
    if all(isinstance(text, str) for text in found):
        return list(found), 0
    if _are_tokens(found):
        return [], len(found)
    if all(isinstance(tokens, list) and tokens and _are_tokens(tokens) for tokens in found):
        return [], sum(map(len, found))
    raise InvalidRequest(
        "'input' mixes texts and token ids, or holds something else. Send one kind.",
        param="input",
    )


def _are_tokens(found: list[Any]) -> bool:
    return all(isinstance(token, int) and not isinstance(token, bool) for token in found)


def _role(place: Place) -> str:
    return "user" if place[0] == "input" else ""


def _kind(place: Place) -> str:
    return "text" if place[0] == "input" else "parameter"
