"""Which bridge lies between a client's wire and a backend's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.wire.anthropic_messages.back import AnthropicMessagesBack
from gateway.wire.base import Bridge
from gateway.wire.openai_chat.front import OpenAIChatFront
from gateway.wire.openai_chat.relay import PassThrough
from gateway.wire.translate import BackCodec, FrontCodec, TranslatingBridge

_FRONTS: Mapping[str, FrontCodec] = MappingProxyType({"openai_chat": OpenAIChatFront()})
_BACKS: Mapping[str, BackCodec] = MappingProxyType(
    {
        "anthropic_messages": AnthropicMessagesBack(),
        # The version that still takes sampling parameters, for deployments pinned to it.
        "anthropic_messages_2023_06_01": AnthropicMessagesBack(sampling=True),
    }
)


def bridge_between(front: str, back: str, *, new_id: str, created: int) -> Bridge:
    """The bridge for one pair of wires; the same wire on both sides passes through.

    Args:
        new_id: the answer's id, where the client's wire needs one that the backend's has not.
        created: epoch seconds, likewise.

    Raises:
        ValueError: no bridge leads from the one to the other.
    """
    if front == back == "openai_chat":
        return PassThrough()
    if front in _FRONTS and back in _BACKS:
        return TranslatingBridge(_FRONTS[front], _BACKS[back], new_id=new_id, created=created)
    raise ValueError(f"no bridge leads from {front} to {back}")
