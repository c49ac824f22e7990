"""Ollama's native chat as the backend's side of a translation."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.conversation import Conversation, Event
from gateway.wire.base import Encoded, Sending
from gateway.wire.ollama_chat.decode import ChatReader, read_chat
from gateway.wire.ollama_chat.encode import encode_request


class OllamaChatBack:
    """See `gateway.wire.translate.BackCodec`."""

    def write(self, conversation: Conversation, sending: Sending) -> Encoded:
        """The chat request."""
        return encode_request(conversation, sending)

    def read(self, body: bytes) -> Sequence[Event]:
        """A whole answer as events."""
        return read_chat(body)

    def reader(self) -> ChatReader:
        """What reads a stream."""
        return ChatReader()
