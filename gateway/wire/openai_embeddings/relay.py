"""Embeddings in, embeddings out: the backend's bytes untouched, usage read on the side."""

from __future__ import annotations

import msgspec

from gateway.core.errors import InvalidRequest
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.base import Encoded, Reply, Sending, StreamReader
from gateway.wire.document import hide, raw_json
from gateway.wire.failures import vendor_failure

_MOST_TOKENS = 2**53


class _Told(msgspec.Struct):
    prompt_tokens: int | float | None = None
    total_tokens: int | float | None = None


class _Answer(msgspec.Struct):
    # The vectors stay undecoded: they are most of the bytes.
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")
    usage: msgspec.Raw = msgspec.Raw(b"null")


_ANSWER = msgspec.json.Decoder(_Answer)
_TOLD = msgspec.json.Decoder(_Told)


class PassThrough:
    """The bridge for clients and backends that both speak OpenAI embeddings."""

    def encode(self, request: ChatRequest, sending: Sending) -> Encoded:
        """The caller's bytes with the model set; there is no output to cap."""
        fields = dict(request.fields)
        fields["model"] = raw_json(sending.model)
        hide(fields, sending.hidden)
        return Encoded(body=msgspec.json.encode(fields))

    def reply(self, request: ChatRequest, body: bytes) -> Reply:
        """The backend's own bytes; an error dressed as a success is found out."""
        try:
            answer = _ANSWER.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            answer = _Answer()
        if bytes(answer.error) != b"null":
            return Reply(body=body, usage=None, text_size=0, failure=vendor_failure(200, body))
        if not bytes(answer.data).startswith(b"["):
            failure = AttemptFailure(
                kind=FailureKind.BAD_RESPONSE, detail="the answer is not a list of embeddings"
            )
            return Reply(body=body, usage=None, text_size=0, failure=failure)
        return Reply(body=body, usage=_usage(answer.usage), text_size=0)

    def stream(self, request: ChatRequest) -> StreamReader:
        """Embeddings do not stream.

        Raises:
            InvalidRequest: always.
        """
        raise InvalidRequest("Embeddings do not stream.", param="stream")


def _usage(raw: msgspec.Raw) -> Usage | None:
    """Input tokens as told; zero for a text that was read means that nothing was counted."""
    try:
        told = _TOLD.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    count = told.prompt_tokens or told.total_tokens or 0
    return Usage(input_tokens=int(count)) if 0 < count < _MOST_TOKENS else None
