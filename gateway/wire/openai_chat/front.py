"""OpenAI chat as the client's side of a translation."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.conversation import Answer, Conversation
from gateway.core.request import ChatRequest
from gateway.wire.openai_chat.conversation import read_conversation
from gateway.wire.openai_chat.encode import ChunkWriter, encode_completion


class OpenAIChatFront:
    """See `gateway.wire.translate.FrontCodec`."""

    def read(self, request: ChatRequest, hidden: Sequence[tuple[str, str]]) -> Conversation:
        """The client's request in no vendor's words."""
        return read_conversation(request, hidden)

    def write(self, request: ChatRequest, answer: Answer, *, new_id: str, created: int) -> bytes:
        """A whole answer for the client."""
        return encode_completion(answer, new_id=f"chatcmpl-{new_id}", created=created)

    def writer(self, request: ChatRequest, *, new_id: str, created: int) -> ChunkWriter:
        """What writes a stream for the client."""
        return ChunkWriter(
            new_id=f"chatcmpl-{new_id}", created=created, include_usage=request.include_usage
        )
