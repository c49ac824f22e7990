"""Responses as the client's side of a translation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.core.conversation import (
    Answer,
    ArgumentsDelta,
    Conversation,
    Event,
    Finished,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallStarted,
)
from gateway.core.request import ChatRequest
from gateway.wire.openai_responses.conversation import read_conversation
from gateway.wire.openai_responses.stream import ResponseWriter


class OpenAIResponsesFront:
    """See `gateway.wire.translate.FrontCodec`."""

    def read(self, request: ChatRequest, hidden: Sequence[tuple[str, str]]) -> Conversation:
        """The client's request in no vendor's words."""
        return read_conversation(request, tuple(hidden))

    def write(self, request: ChatRequest, answer: Answer, *, new_id: str, created: int) -> bytes:
        """A whole answer: the object that its stream would have ended with."""
        writer = self.writer(request, new_id=new_id, created=created)
        for event in _unfolded(answer):
            writer.write(event)
        return writer.whole(answer.usage)

    def writer(self, request: ChatRequest, *, new_id: str, created: int) -> ResponseWriter:
        """What writes a stream for the client."""
        return ResponseWriter(request, new_id=new_id, created=created)


def _unfolded(answer: Answer) -> Iterator[Event]:
    yield Started(answer.model)
    yield ReasoningDelta(answer.reasoning)
    if answer.signature:
        yield ReasoningSigned(answer.signature)
    yield TextDelta(answer.text, answer.logprobs)
    yield from answer.citations
    yield RefusalDelta(answer.refusal)
    for index, call in enumerate(answer.tool_calls):
        yield ToolCallStarted(index, call.id, call.name)
        yield ArgumentsDelta(index, call.arguments)
    if answer.finish is not None:
        yield Finished(answer.finish)
