"""Anthropic Messages as the backend's side of a translation."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.conversation import Conversation, Event
from gateway.wire.anthropic_messages.decode import MessageReader, read_message
from gateway.wire.anthropic_messages.encode import encode_request
from gateway.wire.base import Encoded, Sending


class AnthropicMessagesBack:
    """See `gateway.wire.translate.BackCodec`.

    `sampling` says that the deployment's API version (2023-06-01) still takes temperature.
    """

    def __init__(self, *, sampling: bool = False) -> None:
        self._sampling = sampling

    def write(self, conversation: Conversation, sending: Sending) -> Encoded:
        """The Messages request."""
        return encode_request(conversation, sending, sampling=self._sampling)

    def read(self, body: bytes) -> Sequence[Event]:
        """A whole message as events."""
        return read_message(body)

    def reader(self) -> MessageReader:
        """What reads a stream."""
        return MessageReader()
