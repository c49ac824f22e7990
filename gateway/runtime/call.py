"""One call upstream: the request in the backend's wire, and its answer in the client's.

A call knows nothing of retries, money or the client: what it gives out goes to whoever made it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic, time

import msgspec

from adapters.base import Adapter, Outbound, Upstream
from gateway.core.cascade import Checks, Examined
from gateway.core.conversation import Answer
from gateway.core.decision import Candidate
from gateway.core.errors import FairleadError
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.output_length import AnswerLength
from gateway.core.request import ChatRequest
from gateway.core.speed import Sample, sample_of
from gateway.core.usage import Usage
from gateway.runtime.bridges import back_wire, bridge_between
from gateway.runtime.cascade import Examination, examination
from gateway.runtime.client import Headers
from gateway.runtime.exchange import Exchange
from gateway.runtime.listening import Listening, listening_to
from gateway.runtime.manners import limit_headers
from gateway.runtime.pointers import shown_pointers
from gateway.wire.base import Breakable, Bridge, Reply, Sending, StreamReader
from gateway.wire.restoring.bridge import RestoringBridge

#: Output text per token when a server reports no usage; bytes. English prose is near 4.
_BYTES_PER_TOKEN = 4

#: Takes the next bytes of a streamed answer; the first call says that the answer has begun.
Write = Callable[[bytes], Awaitable[None]]


class Call:
    """A candidate's deployment asked once.

    After `make`, `reply` is the whole answer, or None for a stream, of which `rest` is what is
    still owed after the last bytes that were written. With `checks` the answer is examined on its
    way.
    """

    def __init__(
        self,
        exchange: Exchange,
        request: ChatRequest,
        candidate: Candidate,
        adapter: Adapter,
        write: Write,
        checks: Checks | None = None,
    ) -> None:
        self.candidate = candidate
        self.began = monotonic()
        self.reply: Reply | None = None
        self.rest = b""
        self.lossy: tuple[str, ...] = ()
        self.limits: Headers = []
        self._exchange = exchange
        self._request = request
        self._adapter = adapter
        self._write = write
        self._reader: StreamReader | None = None
        self._first_byte: float | None = None
        self._checks = checks
        self._examination: Examination | None = None
        self._listening: Listening | None = None

    async def make(self, *, deadline: float, correction: str = "") -> AttemptFailure | None:
        """Ask the deployment; None when its whole answer came.

        Args:
            deadline: in monotonic seconds.
            correction: what the last answer of the same deployment did wrong.
        """
        exchange, deployment = self._exchange, self.candidate.deployment
        api = exchange.api
        back = back_wire(api, self._adapter) or self._adapter.wire
        bridge: Bridge = bridge_between(
            api,
            back,
            new_id=exchange.request_id.removeprefix("req_"),
            created=int(exchange.at),
        )
        if exchange.values:
            bridge = RestoringBridge(bridge, exchange.values)
        sending = Sending(
            model=deployment.model,
            output_cap=self.candidate.output_cap,
            cap_field=self._adapter.cap_field,
            hidden=exchange.hidden,
            options=self._adapter.deployment.options,
            correction=correction,
            caching=self._adapter.caching,
        )
        if self._checks is not None:
            self._examination = examination(exchange, self._checks, back)
        if self._examination is not None:
            sending = self._examination.asking(sending)
        self._listening = listening_to(exchange, back)
        encoded = bridge.encode(self._request, sending)
        exchange.lossy, exchange.limits = encoded.lossy, []
        self.lossy = encoded.lossy
        if encoded.lossy and deployment.on_lossy == "refuse":
            return _passed_over(encoded.lossy)
        left = deadline - monotonic()
        outbound = Outbound(
            body=encoded.body,
            sensitivity=exchange.label(),
            stream=self._request.stream,
            request_id=exchange.request_id,
            timeout_seconds=min(deployment.timeout_seconds, left),
            first_byte_seconds=min(deployment.first_byte_seconds, left),
            endpoint=back,
            headers=exchange.sent_headers(same_wire=back == api.wire),
        )
        upstream = await self._adapter.open(outbound)
        if isinstance(upstream, AttemptFailure):
            added = self._examination is not None and self._examination.adds
            return msgspec.structs.replace(upstream, ours=added)
        exchange.limits = limit_headers(api.wire, back, upstream.headers, time())
        self.limits = exchange.limits
        try:
            if self._request.stream:
                return await self._relay(upstream, bridge)
            return await self._whole(upstream, bridge)
        finally:
            await upstream.close()

    def spent(self) -> Usage:
        """What the call used: as reported, or estimated from what was sent and received."""
        source = self._reader or self.reply
        if source is not None and source.usage is not None:
            return source.usage
        text_size = source.text_size if source is not None else 0
        profile = self._exchange.profile
        return Usage(
            input_tokens=profile.tokens.expected if profile else 0,
            output_tokens=-(-text_size // _BYTES_PER_TOKEN),
            estimated=True,
        )

    def examined(self) -> Examined | None:
        """What was found in the answer; None where nobody looked. Asked when it is there."""
        return None if self._examination is None else self._examination.result()

    def heard(self) -> Answer | None:
        """The answer, where it is to be compared with another; None where nobody listened."""
        return None if self._listening is None else self._listening.heard()

    def speed(self) -> Sample:
        """How fast the whole answer came; asked when it is there."""
        return sample_of(
            began=self.began,
            first_byte=self._first_byte,
            ended=monotonic(),
            output_tokens=self.spent().output_tokens,
        )

    def length(self) -> AnswerLength:
        """How long the whole answer was, of several choices one; asked when it is there."""
        tokens = -(-self.spent().output_tokens // max(1, self._request.choices))
        return AnswerLength(tokens, cut=tokens >= self.candidate.output_cap)

    def broken(self, error: FairleadError) -> bytes:
        """The event that ends a begun stream; empty when the API's own error event will do."""
        reader = self._reader
        return reader.broken(error) if isinstance(reader, Breakable) else b""

    async def _whole(self, upstream: Upstream, bridge: Bridge) -> AttemptFailure | None:
        body = await upstream.read()
        if isinstance(body, AttemptFailure):
            return body
        if self._listening is not None:
            self._listening.whole(body)
        if self._examination is not None:
            body = self._examination.whole(body)
        self.reply = bridge.reply(self._request, body)
        return self.reply.failure

    async def _relay(self, upstream: Upstream, bridge: Bridge) -> AttemptFailure | None:
        reader = self._reader = bridge.stream(self._request)
        async for chunk in upstream.chunks():
            if isinstance(chunk, AttemptFailure):
                return chunk
            if self._listening is not None:
                self._listening.chunk(chunk)
            if self._examination is not None:
                chunk = self._examination.chunk(chunk)
            passed = reader.feed(chunk)
            if passed:
                await self._pass(passed)
            if reader.failure is not None:
                return reader.failure
        last = b"" if self._examination is None else self._examination.rest()
        rest = reader.feed(last) + reader.finish()
        if reader.failure is not None:
            return reader.failure
        if not reader.ended:
            if rest:
                await self._pass(rest)
            return AttemptFailure(
                kind=FailureKind.CUT_STREAM, detail="the stream ended without its end marker"
            )
        if self._first_byte is None:
            await self._pass(b"")
        self.rest = rest
        return None

    async def _pass(self, passed: bytes) -> None:
        if self._first_byte is None:
            self._first_byte = monotonic()
        await self._write(passed)


def _passed_over(lossy: tuple[str, ...]) -> AttemptFailure:
    """Policy does not send what a wire cannot carry whole; the next candidate may carry it."""
    return AttemptFailure(
        kind=FailureKind.LOSSY,
        detail=f"the deployment's wire cannot carry {len(lossy)} parts of the request",
        pointers=shown_pointers(lossy),
    )
