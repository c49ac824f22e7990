"""What the model thread tells the server while it serves one call, in order."""

from __future__ import annotations

import msgspec

from adapters.ctransformers.chat_call import CallRefused


class TextAdded(msgspec.Struct, frozen=True):
    """More text of an answer."""

    choice: int
    text: str


class ToolCalled(msgspec.Struct, frozen=True):
    """The model calls this function; its arguments follow as `ArgumentsAdded`."""

    choice: int
    name: str


class ArgumentsAdded(msgspec.Struct, frozen=True):
    """More of the JSON text of a call's arguments."""

    choice: int
    text: str


class AnswerEnded(msgspec.Struct, frozen=True):
    """One answer is complete; `reason` is its finish_reason."""

    choice: int
    reason: str


class CallServed(msgspec.Struct, frozen=True):
    """All answers are complete; the figures are exact token counts."""

    prompt_tokens: int
    completion_tokens: int


class CallFailed(msgspec.Struct, frozen=True):
    """The call ends here with an error; nothing follows."""

    error: CallRefused


Event = TextAdded | ToolCalled | ArgumentsAdded | AnswerEnded | CallServed | CallFailed
