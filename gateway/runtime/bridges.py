"""The APIs that clients call, and what lies between their wires and the backends'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from adapters.base import Adapter
from gateway.core.conversation import Conversation
from gateway.core.request import ChatRequest
from gateway.wire.anthropic_messages.api import MessagesApi
from gateway.wire.anthropic_messages.back import AnthropicMessagesBack
from gateway.wire.anthropic_messages.front import AnthropicMessagesFront
from gateway.wire.anthropic_messages.schemas import can_hold
from gateway.wire.base import Bridge, Front
from gateway.wire.guided import GuidedBack, Schema, no_schema, wanted_schema
from gateway.wire.ollama_chat.back import OllamaChatBack
from gateway.wire.openai_chat.api import ChatApi
from gateway.wire.openai_chat.back import OpenAIChatBack
from gateway.wire.openai_chat.front import OpenAIChatFront
from gateway.wire.openai_completions.api import CompletionsApi
from gateway.wire.openai_completions.front import OpenAICompletionsFront
from gateway.wire.openai_completions.view import untranslatable
from gateway.wire.openai_embeddings.api import EmbeddingsApi
from gateway.wire.openai_responses.api import ResponsesApi
from gateway.wire.openai_responses.back import OpenAIResponsesBack
from gateway.wire.openai_responses.front import OpenAIResponsesFront
from gateway.wire.text_completion.back import TextCompletionBack
from gateway.wire.translate import BackCodec, FrontCodec, TranslatingBridge

#: The API behind each path of the data plane.
APIS: Mapping[str, Front] = MappingProxyType(
    {
        "/v1/chat/completions": ChatApi(),
        "/v1/responses": ResponsesApi(),
        "/v1/completions": CompletionsApi(),
        "/v1/embeddings": EmbeddingsApi(),
        "/v1/messages": MessagesApi(),
    }
)
#: How each front wire is read and written when the backend speaks another one.
_FRONTS: Mapping[str, FrontCodec] = MappingProxyType(
    {
        "openai_chat": OpenAIChatFront(),
        "openai_responses": OpenAIResponsesFront(),
        "openai_completions": OpenAICompletionsFront(),
        "anthropic_messages": AnthropicMessagesFront(),
    }
)
#: What keeps a request of a front wire from being translated at all: pointers, empty for nothing.
_LIMITS: Mapping[str, Callable[[ChatRequest], tuple[str, ...]]] = MappingProxyType(
    {"openai_completions": untranslatable}
)
#: How each back wire is written and read.
_BACKS: Mapping[str, BackCodec] = MappingProxyType(
    {
        "openai_chat": OpenAIChatBack(),
        # The same for servers that know no schemas.
        "openai_chat_guided": OpenAIChatBack(),
        "openai_responses": OpenAIResponsesBack(),
        "anthropic_messages": AnthropicMessagesBack(),
        # The version that still takes sampling parameters, for deployments pinned to it.
        "anthropic_messages_2023_06_01": AnthropicMessagesBack(sampling=True),
        "ollama_chat": OllamaChatBack(),
        "text_completion": TextCompletionBack(),
    }
)
#: Wires that clients and backends share, and nothing is translated to, read like others.
_READ_LIKE: Mapping[str, str] = MappingProxyType({"openai_completions": "text_completion"})

#: Back wires that cannot be held to every schema, and those that they can be held to; answers
#: under any other are guided and checked here.
_GUIDED: Mapping[str, Callable[[Schema], bool]] = MappingProxyType(
    {
        "openai_chat_guided": no_schema,
        "text_completion": no_schema,
        # Open objects and limits of size or range are refused there.
        "anthropic_messages": can_hold,
        "anthropic_messages_2023_06_01": can_hold,
    }
)


def back_wire(api: Front, adapter: Adapter) -> str | None:
    """The wire in which a backend is asked: the client's own where it can be, else translated.

    None when no bridge leads from this API to the backend.
    """
    if api.wire in adapter.wires:
        return api.wire
    if api.wire in _FRONTS and adapter.wire in _BACKS:
        return adapter.wire
    return None


def not_carried(api: Front, adapter: Adapter, request: ChatRequest) -> tuple[str, ...]:
    """Pointers of what this backend cannot serve of a request, whatever a policy tolerates."""
    limit = _LIMITS.get(api.wire)
    return limit(request) if limit is not None and api.wire not in adapter.wires else ()


def conversation_of(
    api: Front, request: ChatRequest, hidden: tuple[tuple[str, str], ...]
) -> Conversation | None:
    """The request in no vendor's words; None for an API that holds no conversations."""
    front = _FRONTS.get(api.wire)
    return None if front is None else front.read(request, hidden)


def back_codec(back: str) -> BackCodec:
    """What reads the answers of a backend's wire that `back_wire` named."""
    return _BACKS[_READ_LIKE.get(back, back)]


def is_guided(back: str, conversation: Conversation) -> bool:
    """Whether answers of that wire are guided and checked on their way to the client."""
    schema = wanted_schema(conversation)
    return schema is not None and back in _GUIDED and not _GUIDED[back](schema)


def bridge_between(api: Front, back: str, *, new_id: str, created: int) -> Bridge:
    """The bridge to a wire that `back_wire` named; the same wire on both sides passes through.

    Args:
        new_id: the answer's id, where the client's wire needs one that the backend's has not.
        created: epoch seconds, likewise.
    """
    if back == api.wire:
        return api.pass_through()
    codec = GuidedBack(_BACKS[back], _GUIDED[back]) if back in _GUIDED else _BACKS[back]
    return TranslatingBridge(_FRONTS[api.wire], codec, new_id=new_id, created=created)
