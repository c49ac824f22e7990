"""Text completions passed through: bytes, usage, errors and ends."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failure import FailureKind
from gateway.wire.base import Sending
from gateway.wire.openai_completions.relay import PassThrough
from gateway.wire.openai_completions.view import decode

SENDING = Sending(model="real", output_cap=100)
ODD = [b"1e400", b"123456789012345678901234567890", b'"\\ud83d\\ude00"', b"{ }", b"null"]


def request(**fields: Any) -> Any:
    return decode(json.dumps({"model": "auto", "prompt": "hello"} | fields).encode())


def chunk(text: str = "", finish: str | None = None, **more: Any) -> bytes:
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
    payload = {"id": "c", "object": "text_completion", "choices": [choice]} | more
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


STREAM = chunk("é ") + chunk("\U0001f600") + chunk("", "stop") + b"data: [DONE]\n\n"


@given(st.dictionaries(st.sampled_from(["a", "b", "seed2"]), st.sampled_from(ODD)))
def test_what_is_not_ours_keeps_its_bytes(odd: dict[str, bytes]) -> None:
    """Property: odd numbers and escapes survive; model and cap are set."""
    pairs = {"model": b'"auto"', "prompt": b'"h\\u0069"'} | odd
    raw = b"{" + b",".join(b'"%s":%s' % (k.encode(), v) for k, v in pairs.items()) + b"}"
    sent = msgspec.json.decode(
        PassThrough().encode(decode(raw), SENDING).body, type=dict[str, msgspec.Raw]
    )

    assert {name: bytes(raw) for name, raw in sent.items()} == pairs | {
        "model": b'"real"',
        "max_tokens": b"16",
    }


@pytest.mark.parametrize(("given_cap", "sent"), [(5, 5), (100, 100), (500, 100)])
def test_a_cap_is_only_lowered(given_cap: int, sent: int) -> None:
    """The plan's cap is the most that goes out."""
    body = PassThrough().encode(request(max_tokens=given_cap), SENDING).body

    assert json.loads(body)["max_tokens"] == sent


def test_masked_strings_are_replaced_where_they_stand() -> None:
    """In a list of prompts, by pointer."""
    sending = msgspec.structs.replace(SENDING, hidden=(("/prompt/1", "[EMAIL_1]"),))
    body = PassThrough().encode(request(prompt=["a", "jane@corp.com"]), sending).body

    assert json.loads(body)["prompt"] == ["a", "[EMAIL_1]"]


def test_a_stream_cut_anywhere_is_the_same_stream() -> None:
    """Every byte boundary."""
    for cut in range(len(STREAM) + 1):
        reader = PassThrough().stream(request(stream=True))
        passed = reader.feed(STREAM[:cut]) + reader.feed(STREAM[cut:]) + reader.finish()

        assert passed == STREAM
        assert reader.ended
        assert reader.text_size == 7


def test_usage_is_read_on_the_side_and_kept_for_who_asked() -> None:
    """A chunk of its own, and nulls in the others."""
    told = chunk("", choices=[], usage={"prompt_tokens": 5, "completion_tokens": 3})
    stream = chunk("a") + chunk("", "stop") + told + b"data: [DONE]\n\n"
    silent = PassThrough().stream(request(stream=True))
    asking = PassThrough().stream(request(stream=True, stream_options={"include_usage": True}))

    assert b"usage" not in silent.feed(stream)
    assert asking.feed(stream) == stream
    for reader in (silent, asking):
        assert reader.usage is not None
        assert (reader.usage.input_tokens, reader.usage.output_tokens) == (5, 3)


def test_nothing_is_given_out_before_content_and_errors_are_found() -> None:
    """Before content a failure is free to fall back, after it never."""
    error = b'data: {"error": {"message": "no", "type": "rate_limit_error", "code": null}}\n\n'
    early = PassThrough().stream(request(stream=True))
    late = PassThrough().stream(request(stream=True))

    assert early.feed(chunk("") + error) == b""
    assert early.failure is not None
    assert early.failure.kind is FailureKind.RATE_LIMITED
    assert late.feed(chunk("word")) == chunk("word")
    assert late.feed(error) == b""
    assert late.failure is not None
    assert not late.failure.free


def test_a_forgotten_end_marker_is_added_and_a_cut_stream_has_none() -> None:
    """All choices must have ended."""
    whole = PassThrough().stream(request(stream=True))
    cut = PassThrough().stream(request(stream=True, n=2))
    for reader in (whole, cut):
        reader.feed(chunk("a") + chunk("", "stop"))

    assert whole.finish() == b"data: [DONE]\n\n"
    assert cut.finish() == b""
    assert (whole.ended, cut.ended) == (True, False)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"id": 1}', b'{"error": {"message": "no"}, "choices": []}']
)
def test_what_is_no_completion_is_a_failure(body: bytes) -> None:
    """Whatever its status said."""
    assert PassThrough().reply(request(), body).failure is not None
