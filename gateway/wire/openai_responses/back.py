"""Responses as the backend's side of a translation."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.conversation import Conversation, Event
from gateway.wire.base import Encoded, Sending
from gateway.wire.openai_responses.decode import ResponseReader, read_response
from gateway.wire.openai_responses.request import encode_request


class OpenAIResponsesBack:
    """See `gateway.wire.translate.BackCodec`."""

    def write(self, conversation: Conversation, sending: Sending) -> Encoded:
        """The Responses request."""
        return encode_request(conversation, sending)

    def read(self, body: bytes) -> Sequence[Event]:
        """A whole response as events."""
        return read_response(body)

    def reader(self) -> ResponseReader:
        """What reads a stream."""
        return ResponseReader()
