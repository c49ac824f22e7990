"""Anthropic Messages as the client's side of a translation."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.conversation import Answer, Conversation
from gateway.core.request import ChatRequest
from gateway.wire.anthropic_messages.answer import MessageWriter, encode_message
from gateway.wire.anthropic_messages.conversation import read_conversation


class AnthropicMessagesFront:
    """See `gateway.wire.translate.FrontCodec`."""

    def read(self, request: ChatRequest, hidden: Sequence[tuple[str, str]]) -> Conversation:
        """The client's request in no vendor's words."""
        return read_conversation(request, hidden)

    def write(self, request: ChatRequest, answer: Answer, *, new_id: str, created: int) -> bytes:
        """A whole answer for the client."""
        return encode_message(request, answer, new_id=new_id)

    def writer(self, request: ChatRequest, *, new_id: str, created: int) -> MessageWriter:
        """What writes a stream for the client."""
        return MessageWriter(request, new_id=new_id)
