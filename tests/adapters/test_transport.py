"""The seam to the network: guard first, bytes unchanged, failures returned, connections kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

import adapters.transport
from adapters.base import Adapter, Upstream
from adapters.transport import Transport, prepare_call
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.sensitivity import Sensitivity
from tests.adapters.conftest import BODY, KEY, deployment_at, outbound
from tests.upstreams import faults, openai_chat
from tests.upstreams.scripted import Script, ScriptedUpstream, closed_port, sse_script

Open = Callable[..., Adapter]


async def _collect(upstream: Upstream) -> list[bytes | AttemptFailure]:
    pieces = [piece async for piece in upstream.chunks()]
    await upstream.close()
    return pieces


def _answered(result: Upstream | AttemptFailure) -> Upstream:
    assert not isinstance(result, AttemptFailure), result
    return result


def _failed(result: object) -> AttemptFailure:
    assert isinstance(result, AttemptFailure), result
    return result


@pytest.mark.parametrize("adapter", ["openai_compatible", "openai", "anthropic", "ollama"])
async def test_guard_comes_before_any_connection(opened: Open, adapter: str) -> None:
    """Bytes above the clearance open no connection, whichever adapter is asked."""
    async with ScriptedUpstream(openai_chat.answer()) as upstream:
        adapter_ = opened(upstream.url, adapter)
        for level in (Sensitivity.CONFIDENTIAL, Sensitivity.RESTRICTED):
            refused = _failed(
                await adapter_.open(outbound(sensitivity=level, endpoint=adapter_.wire))
            )

            assert refused.kind is FailureKind.CLEARANCE
        assert upstream.connections == 0

        allowed = await adapter_.open(
            outbound(sensitivity=Sensitivity.INTERNAL, endpoint=adapter_.wire)
        )

        assert upstream.connections == 1
        await _answered(allowed).close()


async def test_body_goes_out_byte_for_byte(opened: Open) -> None:
    """The bytes that arrive are the bytes that were given."""
    async with ScriptedUpstream(openai_chat.answer("hi")) as upstream:
        answer = _answered(await opened(f"{upstream.url}/v1").open(outbound()))
        body = await answer.read()
        await answer.close()

        assert upstream.requests[0].body == BODY
        assert upstream.requests[0].path == "/v1/chat/completions"
        assert isinstance(body, bytes)
        assert b'"content":"hi"' in body
        assert answer.content_type == "application/json"


async def test_connection_is_kept_between_calls(opened: Open) -> None:
    """Calls that were read to their end, plain or streamed, share one connection."""
    play = openai_chat.either(openai_chat.answer(), openai_chat.stream())
    async with ScriptedUpstream(play) as upstream:
        adapter = opened(upstream.url)
        for stream in (False, True, False, True):
            body = b'{"stream": true}' if stream else b"{}"
            answer = _answered(await adapter.open(outbound(body, stream=stream)))
            if stream:
                await _collect(answer)
            else:
                await answer.read()
                await answer.close()

        assert (len(upstream.requests), upstream.connections) == (4, 1)


async def test_chunks_are_passed_on_as_they_come(opened: Open) -> None:
    """A chunk is handed over while the backend has not ended its answer."""
    async with ScriptedUpstream(sse_script([b"data: one\n\n"], ending="hang")) as upstream:
        answer = _answered(await opened(upstream.url).open(outbound(stream=True)))
        first = await anext(answer.chunks())

        assert first == b"data: one\n\n"
        assert not upstream.requests[0].finished
        await answer.close()


async def test_close_inside_a_stream_is_noticed_by_the_backend(opened: Open) -> None:
    """Closing before the end breaks the connection, so that the backend stops generating."""
    async with ScriptedUpstream(sse_script([b"data: x\n\n"], ending="hang")) as upstream:
        answer = _answered(await opened(upstream.url).open(outbound(stream=True)))
        async for _ in answer.chunks():
            break
        await answer.close()
        received = await upstream.gone()

        assert received.gone_at is not None
        assert upstream.open_connections == 0


async def test_cancelled_wait_is_noticed_by_the_backend(opened: Open) -> None:
    """When the caller gives up before the answer begins, the backend is told by the socket."""
    async with ScriptedUpstream(faults.hangs()) as upstream:
        waiting = asyncio.create_task(opened(upstream.url).open(outbound()))
        await upstream.received()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        received = await upstream.gone()

        assert waiting.cancelled()
        assert received.gone_at is not None


async def test_timed_out_wait_is_noticed_by_the_backend(opened: Open) -> None:
    """When the first byte is late, the backend does not go on for nobody."""
    async with ScriptedUpstream(faults.hangs()) as upstream:
        await opened(upstream.url).open(outbound(first_byte_seconds=0.1))
        received = await upstream.gone()

        assert received.gone_at is not None


async def test_unix_socket_is_reached(opened: Open, tmp_path: Path) -> None:
    """A base URL of the form http+unix:// reaches a worker's socket."""
    async with ScriptedUpstream(openai_chat.answer(), socket_path=tmp_path / "w.sock") as upstream:
        answer = _answered(await opened(f"{upstream.url}/v1").open(outbound()))
        await answer.read()
        await answer.close()

        assert upstream.requests[0].path == "/v1/chat/completions"


_BEFORE_HEADERS: list[tuple[str, Script, FailureKind]] = [
    ("hang", faults.hangs(), FailureKind.TIMEOUT),
    ("drop", faults.drops(), FailureKind.CUT_STREAM),
    ("redirect", faults.redirects("http://127.0.0.1:1/"), FailureKind.BAD_RESPONSE),
    ("401", openai_chat.error(401, "authentication_error"), FailureKind.UNAUTHORIZED),
    ("404", openai_chat.error(404, code="model_not_found"), FailureKind.MODEL_MISSING),
    ("429", openai_chat.error(429, "rate_limit_error"), FailureKind.RATE_LIMITED),
    ("500", openai_chat.error(500, "server_error"), FailureKind.SERVER_ERROR),
    ("503", Script(status=503, pieces=(b"busy",)), FailureKind.OVERLOADED),
    ("500 cut", Script(status=500, pieces=(b"{",), ending="cut"), FailureKind.SERVER_ERROR),
]


@pytest.mark.parametrize(
    ("script", "kind"), [case[1:] for case in _BEFORE_HEADERS], ids=[c[0] for c in _BEFORE_HEADERS]
)
async def test_failure_before_the_answer(opened: Open, script: Script, kind: FailureKind) -> None:
    """What goes wrong before a 2xx answer is returned as its kind, and no connection leaks."""
    async with ScriptedUpstream(script) as upstream:
        result = await opened(upstream.url).open(outbound(first_byte_seconds=0.2))

        assert _failed(result).kind is kind


async def test_refused_connection(opened: Open) -> None:
    """A closed port is a connect failure, which costs nothing."""
    failure = _failed(await opened(f"http://127.0.0.1:{closed_port()}").open(outbound()))

    assert failure.kind is FailureKind.CONNECT
    assert failure.free
    assert "ECONNREFUSED" in failure.detail


async def test_unknown_host_is_a_connect_failure(opened: Open) -> None:
    """A name that does not resolve is a connect failure."""
    failure = _failed(await opened("http://no-such-host.invalid").open(outbound()))

    assert failure.kind is FailureKind.CONNECT


@pytest.mark.parametrize("chunked", [False, True])
async def test_cut_plain_body(opened: Open, chunked: bool) -> None:
    """A body that breaks off is a cut, whichever framing promised more."""
    async with ScriptedUpstream(faults.cuts_plain(chunked=chunked)) as upstream:
        answer = _answered(await opened(upstream.url).open(outbound()))

        assert _failed(await answer.read()).kind is FailureKind.CUT_STREAM
        await answer.close()


async def test_cut_stream_ends_with_the_failure(opened: Open) -> None:
    """A stream that breaks off gives its chunks and then one failure."""
    play = openai_chat.stream(["a", "b"], pause=0.02, ending="cut", cut_after=2)
    async with ScriptedUpstream(play) as upstream:
        answer = _answered(await opened(upstream.url).open(outbound(b'{"stream": true}')))
        *chunks, last = await _collect(answer)

        assert _failed(last).kind is FailureKind.CUT_STREAM
        assert chunks
        assert all(isinstance(chunk, bytes) for chunk in chunks)


async def test_deadline_inside_a_stream(opened: Open) -> None:
    """The attempt's time limit holds while the body is read."""
    script = sse_script([b"data: x\n\n"], ending="hang")
    async with ScriptedUpstream(script) as upstream:
        answer = _answered(await opened(upstream.url).open(outbound(timeout_seconds=0.2)))
        *_, last = await _collect(answer)

        assert _failed(last).kind is FailureKind.TIMEOUT


@pytest.mark.parametrize("pieces", [(b"x" * 1400,), (b"x" * 700, b"x" * 700)])
async def test_answer_larger_than_the_bound(pieces: tuple[bytes, ...]) -> None:
    """A body above the bound is refused instead of filling the memory."""
    transport = Transport(largest_answer=1000)
    async with ScriptedUpstream(Script(pieces=pieces, framing="chunked", pause=0.01)) as upstream:
        call = prepare_call(upstream.url, [])
        answer = _answered(await transport.send(outbound(), deployment_at(upstream.url), call))

        assert _failed(await answer.read()).kind is FailureKind.BAD_RESPONSE
        await answer.close()
    await transport.close()


async def test_redirect_target_is_never_called(opened: Open) -> None:
    """A redirect is a failure; its target sees no connection."""
    async with (
        ScriptedUpstream(openai_chat.answer()) as target,
        ScriptedUpstream(faults.redirects(f"{target.url}/v1")) as upstream,
    ):
        await opened(upstream.url).open(outbound())

        assert target.connections == 0


async def test_cookies_are_not_kept(opened: Open) -> None:
    """A cookie that a backend sets is not sent with the next call."""
    script = Script(headers=(("set-cookie", "session=1; Path=/"),), pieces=(b"{}",))
    async with ScriptedUpstream(script) as upstream:
        adapter = opened(upstream.url)
        for _ in range(2):
            answer = _answered(await adapter.open(outbound()))
            await answer.read()
            await answer.close()

        assert upstream.requests[1].header("cookie") is None


async def test_no_secret_or_prompt_in_words(opened: Open) -> None:
    """Neither a repr nor a failure's detail holds the key or what the backend quoted."""
    quoting = openai_chat.error(400, message=f"bad prompt: my pin is 4711, key {KEY}")
    async with ScriptedUpstream(quoting) as upstream:
        adapter = opened(upstream.url)
        failure = _failed(await adapter.open(outbound()))
        call = prepare_call(upstream.url, [("authorization", f"Bearer {KEY}")])
        words = f"{adapter!r} {adapter.deployment!r} {call!r} {failure.detail}"

        assert KEY not in words
        assert "4711" not in words
        assert b"4711" in failure.body


@pytest.mark.parametrize("url", ["ftp://x/", "127.0.0.1:80", "http://", "http://user:pw@host/"])
def test_unusable_url_is_refused(url: str) -> None:
    """A URL that cannot be called is refused when the adapter is made."""
    with pytest.raises(ValueError, match="base_url"):
        prepare_call(url, [])


def test_line_break_in_a_key_is_refused_without_showing_it() -> None:
    """A key that was read with its line break is refused, and not repeated in the message."""
    with pytest.raises(ValueError, match="line break") as told:
        prepare_call("http://host/", [("authorization", f"Bearer {KEY}\n")])

    assert KEY not in str(told.value)


async def test_transport_can_be_closed_and_used_again(transport: Transport) -> None:
    """A closed transport opens new connections when it is used again."""
    async with ScriptedUpstream(openai_chat.answer()) as upstream:
        call = prepare_call(upstream.url, [])
        for _ in range(2):
            answer = _answered(await transport.send(outbound(), deployment_at(upstream.url), call))
            await answer.read()
            await transport.close()

        assert upstream.connections == 2


def test_no_adapter_reaches_the_http_client_itself() -> None:
    """No module but the transport and its error table imports aiohttp or opens a session."""
    folder = Path(adapters.transport.__file__).parent
    importing = [path.name for path in folder.glob("*.py") if "import aiohttp" in path.read_text()]

    assert sorted(importing) == ["failures.py", "transport.py"]
