"""Raw bytes of a text completion request to a `ChatRequest` view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.errors import InvalidRequest
from gateway.core.request import ChatRequest
from gateway.wire.document import check_model, check_types, is_set, read_object, read_segments
from gateway.wire.strings import Place

WIRE = "openai_completions"
#: The output cap of requests that bring none, in tokens, as OpenAI documents it: clients of this
#: old API rely on short answers.
DEFAULT_MAX_TOKENS = 16

_NUMBER = (int, float)
_FIELD_TYPES: Mapping[str, tuple[type, ...]] = {
    "model": (str,),
    "prompt": (str, list),
    "suffix": (str,),
    "max_tokens": (int,),
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "n": (int,),
    "best_of": (int,),
    "stream": (bool,),
    "stream_options": (dict,),
    "logprobs": (int,),
    "echo": (bool,),
    "stop": (str, list),
    "presence_penalty": _NUMBER,
    "frequency_penalty": _NUMBER,
    "logit_bias": (dict,),
    "seed": (int,),
    "user": (str,),
}
_KNOWN_WORDS = frozenset(_FIELD_TYPES) | {"include_usage"}
_MOST_CHOICES = 128
_MOST_PROMPTS = 2048


def decode(raw: bytes) -> ChatRequest:
    """Read a text completion request.

    `choices` counts what the backend generates: every prompt's `best_of` candidates.

    Raises:
        InvalidRequest: the bytes are not JSON or ambiguous, or a field that we rely on is of the
            wrong type; `param` names the field.
    """
    fields, document = read_object(raw)
    segments = read_segments(raw, document, known_words=_KNOWN_WORDS, role=_role, kind=_kind)
    check_types(document, _FIELD_TYPES)
    model = check_model(document)
    texts, token_ids, prompts = _prompts(document.get("prompt"))
    answers = max(_count(document, "n"), _count(document, "best_of"))
    options = document.get("stream_options") or {}
    return ChatRequest(
        wire=WIRE,
        fields=fields,
        model=model,
        segments=segments,
        size=len(raw),
        stream=bool(document.get("stream")),
        include_usage=options.get("include_usage") is True,
        max_output_tokens=_output_cap(document),
        choices=prompts * answers,
        prompt="\n".join(texts),
        turns=prompts,
        token_ids=token_ids,
    )


def untranslatable(request: ChatRequest) -> tuple[str, ...]:
    """Pointers of what only a text completion server can do; empty for a single plain prompt."""
    document = {
        name: msgspec.json.decode(request.fields[name]) for name in _ONLY_HERE & _set(request)
    }
    pointers = [f"/{name}" for name in ("echo", "suffix") if document.get(name)]
    if single_prompt(document.get("prompt")) is None:
        pointers.insert(0, "/prompt")
    return tuple(pointers)


_ONLY_HERE = frozenset({"prompt", "echo", "suffix"})


def single_prompt(found: object) -> str | None:
    """The one text that is to be continued, or None where it is several, none or token ids."""
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, str) and found else None


def _set(request: ChatRequest) -> frozenset[str]:
    return frozenset(name for name in request.fields if is_set(request.fields, name))


def _prompts(found: Any) -> tuple[list[str], int, int]:
    """The texts, how many token ids stand in place of text, and how many prompts there are."""
    if found is None or isinstance(found, str):
        return [found] if found else [], 0, 1
    if not found:
        raise InvalidRequest("'prompt' must not be an empty array.", param="prompt")
    if _are_tokens(found):
        return [], len(found), 1
    if len(found) > _MOST_PROMPTS:
        raise InvalidRequest(f"'prompt' has more than {_MOST_PROMPTS} entries.", param="prompt")
    if all(isinstance(text, str) for text in found):
        return list(found), 0, len(found)
    if all(isinstance(tokens, list) and tokens and _are_tokens(tokens) for tokens in found):
        return [], sum(map(len, found)), len(found)
    raise InvalidRequest(
        "'prompt' mixes texts and token ids, or holds something else. Send one kind.",
        param="prompt",
    )


def _are_tokens(found: list[Any]) -> bool:
    return all(isinstance(token, int) and not isinstance(token, bool) for token in found)


def _count(document: Mapping[str, Any], name: str) -> int:
    count = document.get(name)
    if count is None:
        return 1
    if not 1 <= count <= _MOST_CHOICES:
        raise InvalidRequest(f"'{name}' must be between 1 and {_MOST_CHOICES}.", param=name)
    return int(count)


def _output_cap(document: Mapping[str, Any]) -> int:
    cap = document.get("max_tokens")
    if cap is None:
        return DEFAULT_MAX_TOKENS
    # With `echo`, 0 asks for nothing but the prompt's own log probabilities.
    if cap < (0 if document.get("echo") else 1):
        raise InvalidRequest("'max_tokens' must be at least 1.", param="max_tokens")
    return int(cap)


def _role(place: Place) -> str:
    return "user" if place[0] in ("prompt", "suffix") else ""


def _kind(place: Place) -> str:
    return "text" if place[0] in ("prompt", "suffix") else "parameter"
