"""Asks a Presidio analyzer: no deployment, but what it is sent passes the same guard."""

from __future__ import annotations

from adapters.base import Outbound
from adapters.transport import PreparedCall, Transport, prepare_call
from gateway.core.deployment import Deployment
from gateway.core.failure import AttemptFailure
from gateway.core.prices import Price
from gateway.core.sensitivity import Sensitivity

#: Analyzers whose calls are kept prepared: those of the policies that are in use.
_MOST_KEPT = 8


class PresidioClient:
    """Posts questions to `{url}/analyze`, over the connections of the transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._calls: dict[str, PreparedCall] = {}

    async def analyze(
        self, url: str, body: bytes, *, request_id: str, seconds: float
    ) -> bytes | AttemptFailure:
        """The answer's bytes, or why there are none after so many seconds at most.

        What is asked about may hold anything, so it goes out under the highest label.
        """
        outbound = Outbound(
            body=body,
            sensitivity=Sensitivity.RESTRICTED,
            stream=False,
            request_id=request_id,
            timeout_seconds=seconds,
            first_byte_seconds=seconds,
        )
        answer = await self._transport.send(outbound, _receiver(url), self._call(url))
        if isinstance(answer, AttemptFailure):
            return answer
        try:
            return await answer.read()
        finally:
            await answer.close()

    def _call(self, url: str) -> PreparedCall:
        call = self._calls.get(url)
        if call is None:
            if len(self._calls) >= _MOST_KEPT:
                self._calls.clear()
            call = self._calls[url] = prepare_call(f"{url}/analyze", ())
        return call


def _receiver(url: str) -> Deployment:
    """Who receives the bytes, for the guard: the policy file says that it is one of the company's
    own, and it costs nothing by the call."""
    return Deployment(
        name="presidio",
        adapter="presidio",
        model="",
        clearance=Sensitivity.RESTRICTED,
        price=Price(input=0, output=0, cached_input=0, cache_write=0),
        base_url=url,
        self_hosted=True,
    )
