"""Which API a request's body is written for, where no path says so.

Rules of this file:
- a body is told by what only one API has; what two APIs read alike is judged alike, so the more
  usual of them is taken;
- whoever knows better names the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from gateway.core.errors import InvalidRequest
from gateway.core.request import API_NAMES
from gateway.runtime.bridges import APIS
from gateway.wire.base import Front

_BY_NAME: Mapping[str, Front] = MappingProxyType(
    {API_NAMES[api.wire]: api for api in APIS.values()}
)
#: Names of the APIs as policies call them.
NAMES = tuple(_BY_NAME)
#: Top-level fields of Anthropic's Messages that OpenAI's Chat Completions has not.
_ONLY_MESSAGES = frozenset(
    "system stop_sequences thinking top_k anthropic_version anthropic_beta mcp_servers".split()
)
#: Types of content blocks, likewise.
_ONLY_MESSAGES_BLOCKS = frozenset(
    "image document tool_use tool_result thinking redacted_thinking search_result".split()
)
#: Every field of an embeddings request, and those that only it has.
_EMBEDDINGS = frozenset("model input encoding_format dimensions user".split())
_ONLY_EMBEDDINGS = frozenset(("encoding_format", "dimensions"))
_T = TypeVar("_T")


_Fields = dict[str, msgspec.Raw]


def api_named(name: str) -> Front:
    """The API that policies call by this name.

    Raises:
        InvalidRequest: there is none.
    """
    api = _BY_NAME.get(name)
    if api is None:
        told = f"'{name}' is not an API; there are {', '.join(NAMES)}."
        raise InvalidRequest(told, param="api")
    return api


def api_of(raw: bytes) -> Front:
    """The API that a body is written for.

    Raises:
        InvalidRequest: it is no JSON object, or has none of `messages`, `input` and `prompt`.
    """
    try:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("The body is not a JSON object.") from None
    if "messages" in fields:
        return api_named("messages" if _is_messages(fields) else "chat")
    if "input" in fields:
        return api_named("embeddings" if _is_embeddings(fields) else "responses")
    if "prompt" in fields:
        return api_named("completions")
    raise InvalidRequest(
        "The body is no request to a model: it has none of 'messages', 'input' and 'prompt'."
    )


def _is_messages(fields: Mapping[str, msgspec.Raw]) -> bool:
    if not _ONLY_MESSAGES.isdisjoint(fields):
        return True
    if any("input_schema" in tool for tool in _listed(fields.get("tools"))):
        return True
    return any(
        _read(block.get("type"), str) in _ONLY_MESSAGES_BLOCKS
        for message in _listed(fields["messages"])
        for block in _listed(message.get("content"))
    )


def _is_embeddings(fields: Mapping[str, msgspec.Raw]) -> bool:
    if not _EMBEDDINGS.issuperset(fields):
        return False
    return not _ONLY_EMBEDDINGS.isdisjoint(fields) or bool(_read(fields["input"], list[str]))


def _listed(raw: msgspec.Raw | None) -> list[_Fields]:
    """The entries of a list of objects; none where it is anything else."""
    return _read(raw, list[_Fields]) or []


def _read(raw: msgspec.Raw | None, kind: type[_T]) -> _T | None:
    """A value of this kind, or None where it is of another."""
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
