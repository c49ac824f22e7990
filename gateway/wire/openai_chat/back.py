"""OpenAI chat as the backend's side of a translation."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.conversation import Conversation, Event
from gateway.wire.base import Encoded, Sending
from gateway.wire.openai_answers import AnswerReader
from gateway.wire.openai_chat.decode import completion_reader, read_completion
from gateway.wire.openai_chat.request import encode_request


class OpenAIChatBack:
    """See `gateway.wire.translate.BackCodec`."""

    def write(self, conversation: Conversation, sending: Sending) -> Encoded:
        """The chat completion request."""
        return encode_request(conversation, sending)

    def read(self, body: bytes) -> Sequence[Event]:
        """A whole completion as events."""
        return read_completion(body)

    def reader(self) -> AnswerReader:
        """What reads a stream."""
        return completion_reader()
