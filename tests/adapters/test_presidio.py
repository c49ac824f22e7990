"""Presidio's client: past the guard, under the highest label, with a bound on its time."""

from __future__ import annotations

from adapters.presidio import PresidioClient
from adapters.transport import Transport
from gateway.core.failure import AttemptFailure, FailureKind
from tests.upstreams import presidio
from tests.upstreams.scripted import Script, ScriptedUpstream, closed_port

BODY = b'{"text": "Maria", "language": "en", "entities": ["PERSON"]}'


async def asked(url: str, seconds: float = 5.0) -> bytes | AttemptFailure:
    transport = Transport()
    answer = await PresidioClient(transport).analyze(url, BODY, request_id="req_1", seconds=seconds)
    await transport.close()
    return answer


async def test_the_question_goes_to_analyze_as_it_is() -> None:
    """The bytes arrive whole, and the answer's come back."""
    async with ScriptedUpstream(presidio.finds(PERSON="Maria")) as analyzer:
        answer = await asked(analyzer.url)

    (received,) = analyzer.requests
    assert (received.method, received.path, received.body) == ("POST", "/analyze", BODY)
    assert received.header("content-type") == "application/json"
    assert isinstance(answer, bytes)
    assert b'"PERSON"' in answer


async def test_a_path_of_a_reverse_proxy_is_kept() -> None:
    """Where Presidio does not stand at the root of its address."""
    async with ScriptedUpstream(presidio.told([])) as analyzer:
        await asked(f"{analyzer.url}/presidio")

    assert analyzer.requests[0].path == "/presidio/analyze"


async def test_failures_are_returned() -> None:
    """A refusal, nobody there, an answer that does not come in time, or not to its end."""
    late = presidio.finds(before=3.0)
    hanging = Script(pieces=(b"[",), framing="chunked", ending="hang")
    kinds = []
    for script in (Script(status=500), late, hanging):
        async with ScriptedUpstream(script) as analyzer:
            answer = await asked(analyzer.url, seconds=0.2)
        assert isinstance(answer, AttemptFailure)
        kinds.append(answer.kind)
    gone = await asked(f"http://127.0.0.1:{closed_port()}")

    assert kinds == [FailureKind.SERVER_ERROR, FailureKind.TIMEOUT, FailureKind.TIMEOUT]
    assert isinstance(gone, AttemptFailure)
    assert gone.kind is FailureKind.CONNECT
