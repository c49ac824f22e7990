"""What the driver asks of a pair of wires: the client's and the backend's.

A bridge turns the client's request into the backend's bytes and the backend's answer into the
client's. Where both speak the same wire the bridge is a pass-through; else it translates.
A bridge never changes its input: every attempt calls it again.
"""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import msgspec

from gateway.core.errors import FairleadError
from gateway.core.failure import AttemptFailure
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage

#: What a backend on OpenAI's wires can be told of its prompt cache: nothing, which requests share
#: their beginning (`key`), or also where in the prompt to cut (`breakpoints`).
Caching = Literal["none", "key", "breakpoints"]


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """What we set in the bytes that go out: our keys, and nothing else.

    `output_cap` (tokens) is set under the field `cap_field` unless the caller gave a lower one.
    `hidden` are replacements of string values by JSON pointer (masking). `options` are the
    deployment's driver settings, for wires that need one (a chat template). `correction` is what
    the last answer of the same deployment did wrong; it may quote that answer. `caching` is what
    the backend can be told of its prompt cache. `logprobs` asks for the log probabilities of the
    answer's tokens where the caller did not; see `gateway.wire.unasked`.
    """

    model: str
    output_cap: int
    cap_field: str = "max_completion_tokens"
    hidden: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str | int | float | bool], ...] = ()
    correction: str = ""
    caching: Caching = "none"
    logprobs: bool = False


class Encoded(msgspec.Struct, frozen=True, kw_only=True):
    """The backend's request bytes; `lossy` are JSON pointers of what could not be carried."""

    body: bytes
    lossy: tuple[str, ...] = ()


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer in the client's wire.

    `usage` is None when the backend reported none; `text_size` is the answer's length in bytes,
    for estimating then; `failure` is set when a 200 body was in truth an error.
    """

    body: bytes
    usage: Usage | None
    text_size: int
    failure: AttemptFailure | None = None


class StreamReader(Protocol):
    """Reads one upstream stream, chunk by chunk, and gives the client's bytes.

    `has_content` turns True with the first event that carries model output; `ended` when the
    backend's own end marker was seen; `failure` when an error event came inside the stream.
    """

    @property
    def usage(self) -> Usage | None:
        """What the answer used, once the backend told."""
        ...

    @property
    def has_content(self) -> bool:
        """Whether model output came."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the end marker came."""
        ...

    @property
    def failure(self) -> AttemptFailure | None:
        """The error that came inside the stream."""
        ...

    @property
    def text_size(self) -> int:
        """Bytes of model output so far, for estimating when no usage comes."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """Take upstream bytes, cut anywhere; return client bytes (maybe none)."""
        ...

    def finish(self) -> bytes:
        """The upstream closed cleanly: return what is left to send."""
        ...


@runtime_checkable
class Breakable(Protocol):
    """A stream (or its writer) whose error event depends on what was sent before it."""

    def broken(self, error: FairleadError) -> bytes:
        """The event that ends it now; empty when the API's own error event will do."""
        ...


class Front(Protocol):
    """The client's side of one API: how its requests are read and its errors are told."""

    wire: str

    def decode(self, raw: bytes) -> ChatRequest:
        """Read a request.

        Raises:
            InvalidRequest: it cannot be read in one way only; the message says where and why.
        """
        ...

    def render_error(self, error: FairleadError, request_id: str) -> bytes:
        """An error's body in the API's own shape."""
        ...

    def render_stream_error(self, error: FairleadError, request_id: str) -> bytes:
        """The event that ends a broken stream."""
        ...

    def pass_through(self) -> Bridge:
        """The bridge to backends that take this wire as it is."""
        ...


class Bridge(Protocol):
    """One client wire to one backend wire."""

    def encode(self, request: ChatRequest, sending: Sending) -> Encoded:
        """The backend's request bytes."""
        ...

    def reply(self, request: ChatRequest, body: bytes) -> Reply:
        """The client's answer bytes for a whole upstream body."""
        ...

    def stream(self, request: ChatRequest) -> StreamReader:
        """A fresh reader for one upstream stream."""
        ...
