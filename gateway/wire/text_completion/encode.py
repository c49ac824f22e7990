"""A `Conversation` as a text completion request, and what of it could not be carried.

The conversation becomes one text by the deployment's chat template, in which its own words cannot
imitate a turn. Tools cannot be called and pictures not be seen; what earlier tools said is told in
words. The template's own ends of a turn come first among the stop strings, of which servers take
four.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from gateway.core.conversation import (
    Conversation,
    Document,
    Message,
    Part,
    Text,
    ToolCall,
    ToolResult,
)
from gateway.wire.attached import document_text
from gateway.wire.base import Encoded, Sending
from gateway.wire.cache_marks import unsaid_caching
from gateway.wire.chat_template import TemplateFailed
from gateway.wire.lenient import object_of
from gateway.wire.sampling import sampled
from gateway.wire.text_completion.prompt import PromptFormat, make_format

# Decimals come from numbers that a double cannot hold; they go out as numbers.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_MOST_STOPS = 4

Block = dict[str, Any]


def encode_request(
    conversation: Conversation, sending: Sending, prompt_format: PromptFormat
) -> Encoded:
    """Write the request."""
    writing = _Writing()
    messages = writing.messages(conversation.messages)
    cap = sending.output_cap
    if conversation.output_cap is not None:
        cap = min(cap, conversation.output_cap)
    body: Block = {
        "model": sending.model,
        "prompt": writing.prompt(messages, prompt_format),
        sending.cap_field: cap,
    }
    if conversation.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    fields, lossy = sampled(conversation, "text_completion")
    body |= fields
    if conversation.logprobs is not None:
        body["logprobs"] = conversation.logprobs
    asked = tuple(dict.fromkeys(text for text in conversation.stop if text))
    stops = tuple(dict.fromkeys((*prompt_format.stops, *asked)))[:_MOST_STOPS]
    if stops:
        body["stop"] = stops
    if not set(asked) <= set(stops):
        lossy.append(conversation.origin("stop"))
    return Encoded(body=_ENCODER.encode(body), lossy=(*writing.lossy, *lossy, *_lost(conversation)))


class _Writing:
    """One pass over a conversation; collects the pointers of what is not carried."""

    def __init__(self) -> None:
        self.lossy: list[str] = []

    def prompt(self, messages: list[Block], prompt_format: PromptFormat) -> str:
        """The conversation as one text."""
        try:
            return prompt_format.text(messages)
        except TemplateFailed:
            # Not as the model was taught, but nothing of what was said is missing.
            self.lossy.append("/messages")
            return make_format("plain", "", "").text(messages)

    def messages(self, messages: Iterable[Message]) -> list[Block]:
        """The turns as templates know them: a role and a text."""
        written: list[Block] = []
        for message in messages:
            texts: list[str] = []
            calls: list[Block] = []
            for part in message.parts:
                if isinstance(part, ToolResult):
                    written.append({"role": "tool", "content": self._result(part)})
                elif isinstance(part, ToolCall):
                    calls.append(_call(part))
                else:
                    texts += self._text(part)
            turn: Block = {"role": message.role, "content": "\n".join(texts)}
            if calls:
                turn["tool_calls"] = calls
            if texts or calls:
                written.append(turn)
        return written

    def _result(self, result: ToolResult) -> str:
        said = "\n".join(text for part in result.parts for text in self._text(part))
        return f"Error: {said}" if result.failed else said

    def _text(self, part: Part) -> list[str]:
        match part:
            case Text(text):
                return [text] if text else []
            case Document() if (said := document_text(part)) is not None:
                return [said]
        self.lossy.append(part.pointer)
        return []


def _lost(conversation: Conversation) -> list[str]:
    """What a plain text server knows nothing of."""
    lossy: list[str] = []
    choice = conversation.tool_choice
    if choice is None or choice.mode != "none":
        lossy += [tool.pointer for tool in conversation.tools]
    if conversation.answer_schema is not None or conversation.answer_json:
        lossy.append(conversation.origin("answer_schema"))
    lossy += [
        conversation.origin(name) for name in ("effort", "user") if getattr(conversation, name)
    ]
    if conversation.service_tier not in ("", "auto", "default"):
        lossy.append(conversation.origin("service_tier"))
    return [*lossy, *unsaid_caching(conversation)]


def _call(call: ToolCall) -> Block:
    # Templates expect the object; broken JSON, which models do write, stays text.
    given = object_of(call.arguments.encode()) if call.arguments else {}
    function = {"name": call.name, "arguments": call.arguments if given is None else given}
    return {"id": call.id, "type": "function", "function": function}
