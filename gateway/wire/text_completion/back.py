"""Plain text completion as the backend's side of a translation."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.conversation import Conversation, Event
from gateway.wire.base import Encoded, Sending
from gateway.wire.openai_answers import AnswerReader
from gateway.wire.text_completion.decode import read_text, text_reader
from gateway.wire.text_completion.encode import encode_request
from gateway.wire.text_completion.prompt import PromptFormat, make_format

#: Formats that are kept compiled: one a deployment is usual.
_MOST_KEPT = 64


class TextCompletionBack:
    """See `gateway.wire.translate.BackCodec`.

    The deployment's options say how a conversation becomes text: `chat_template` (a built-in
    format's name or a template's source), `bos_token` and `eos_token`.
    """

    def __init__(self) -> None:
        self._formats: dict[tuple[str, str, str], PromptFormat] = {}

    def write(self, conversation: Conversation, sending: Sending) -> Encoded:
        """The completion request."""
        return encode_request(conversation, sending, self._format(sending))

    def read(self, body: bytes) -> Sequence[Event]:
        """A whole completion as events."""
        return read_text(body)

    def reader(self) -> AnswerReader:
        """What reads a stream."""
        return text_reader()

    def _format(self, sending: Sending) -> PromptFormat:
        options = dict(sending.options)
        named = (
            str(options.get("chat_template") or "plain"),
            str(options.get("bos_token") or ""),
            str(options.get("eos_token") or ""),
        )
        known = self._formats.get(named)
        if known is None:
            if len(self._formats) >= _MOST_KEPT:
                self._formats.clear()
            # Compiling takes milliseconds; the same options always give the same format.
            known = self._formats[named] = make_format(*named)
        return known
