"""The decoded request: a view of the caller's bytes, which stay what is forwarded."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gateway.core.profile import Needs

#: What policies call the APIs that clients call, by the wires' names.
API_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "openai_chat": "chat",
        "openai_responses": "responses",
        "anthropic_messages": "messages",
        "openai_completions": "completions",
        "openai_embeddings": "embeddings",
    }
)


class Segment(msgspec.Struct, frozen=True):
    """One string of the request, wherever it stood.

    `pointer` is the JSON pointer of the string (of its value, for keys); `role` is the role of
    the message around it, or empty; `kind` is one of text, key, name, url, tool_definition,
    tool_argument, tool_result, parameter, unknown.
    """

    text: str
    pointer: str
    role: str = ""
    kind: str = "text"


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What we understood of a chat request; `fields` keeps every top-level value's own bytes.

    `max_output_tokens` is the caller's own cap, None when the caller gave none; `choices` is how
    many answers were asked for; `prompt` is the last text that the user wrote, and `turns` the
    number of messages. `token_ids` counts token ids that stand in place of text: nobody can tell
    what they say, so such a request counts as unread.
    """

    wire: str
    fields: Mapping[str, msgspec.Raw]
    model: str
    segments: tuple[Segment, ...]
    size: int
    stream: bool = False
    include_usage: bool = False
    max_output_tokens: int | None = None
    choices: int = 1
    needs: Needs = Needs()
    prompt: str = ""
    turns: int = 1
    images: int = 0
    token_ids: int = 0

    @property
    def tools(self) -> bytes:
        """The JSON of the field of that name, empty for none."""
        return bytes(self.fields.get("tools", b""))
