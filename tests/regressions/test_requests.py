"""Requests: fields that gateways changed, dropped or choked on."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from gateway.core.errors import InvalidRequest
from gateway.runtime.bridges import APIS
from gateway.wire.base import Sending
from tests.regressions.wires import (
    CHAT,
    DONE,
    MESSAGES,
    SENDING,
    bridge,
    chunk,
    encoded,
    request,
    streamed,
)

PIXEL = "iVBORw0KGgo="
OPENAI_SAMPLING = "anthropic_messages_2023_06_01"


def sent_of(raw: bytes, sending: Sending = SENDING) -> dict[str, msgspec.Raw]:
    """The fields that a backend of the same wire gets, as bytes."""
    asked = APIS[CHAT].decode(raw)
    return msgspec.json.decode(
        bridge("openai_chat").encode(asked, sending).body, type=dict[str, msgspec.Raw]
    )


def chat_raw(**fields: bytes) -> bytes:
    known = {"model": b'"auto"', "messages": b'[{"role":"user","content":"hi"}]'} | fields
    return b"{" + b",".join(b'"%s":%s' % (k.encode(), v) for k, v in known.items()) + b"}"


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_max_tokens_null_is_no_cap_and_no_crash(name: str) -> None:
    """Null means what leaving it out means; the backend gets our cap and not null."""
    fields = sent_of(chat_raw(**{name: b"null"}))

    caps = [bytes(raw) for field, raw in fields.items() if field.startswith("max_")]
    assert caps == [b"1000"]


def test_several_choices_end_only_when_all_of_them_have() -> None:
    """With n of 2 the first finish reason is not the end of the stream."""
    first = [chunk({"content": "a"}), chunk({}, "stop")]
    passed, half = streamed(first, n=2)
    assert not half.ended
    assert DONE not in passed

    second = chunk({}, choices=[{"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"}])
    _, whole = streamed([*first, second], n=2)
    assert whole.ended


def test_n_is_held_for_and_named_where_it_cannot_be_carried() -> None:
    """Several answers cost several answers; a wire without them says so."""
    asked = request(n=3)
    _, sent = encoded(asked, "anthropic_messages")

    assert asked.choices == 3
    assert sent.lossy == ("/n",)


def test_a_temperature_beyond_the_backends_range_is_clamped_and_named() -> None:
    """Claude takes up to 1; OpenAI's clients may say 2."""
    body, sent = encoded(request(temperature=1.7), OPENAI_SAMPLING)

    assert body["temperature"] == 1
    assert sent.lossy == ("/temperature",)


def test_a_system_message_in_the_middle_is_kept_and_its_move_is_named() -> None:
    """It may stand among the turns for OpenAI only."""
    messages = [
        {"role": "user", "content": "one"},
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "two"},
    ]
    body, sent = encoded(request(messages=messages), "anthropic_messages")

    assert "Be brief." in json.dumps(body)
    assert sent.lossy == ("/messages/1",)


def test_a_developer_message_is_a_system_prompt() -> None:
    """The newer name of the same role."""
    messages = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    body, sent = encoded(request(messages=messages), "anthropic_messages")

    assert "Be brief." in json.dumps(body["system"])
    assert [turn["role"] for turn in body["messages"]] == ["user"]
    assert sent.lossy == ()


@pytest.mark.parametrize("content", ["", [], [{"type": "text", "text": ""}], None])
def test_empty_content_is_no_empty_block(content: Any) -> None:
    """Anthropic refuses empty text blocks; the other turns must still arrive."""
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": "still there?"},
    ]
    body, _ = encoded(request(messages=messages), "anthropic_messages")

    blocks = [block for turn in body["messages"] for block in turn["content"]]
    assert [block["text"] for block in blocks] == ["hi", "still there?"]


def test_a_data_url_becomes_a_base64_source() -> None:
    """Media type and bytes apart, as Anthropic wants them."""
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "what?"}, part]}]
    body, sent = encoded(request(messages=messages), "anthropic_messages")

    source = body["messages"][0]["content"][1]["source"]
    assert source == {"type": "base64", "media_type": "image/png", "data": PIXEL}
    assert sent.lossy == ()


def test_a_base64_source_becomes_a_data_url() -> None:
    """The other way round."""
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    messages = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    body, _ = encoded(request(MESSAGES, messages=messages), "openai_chat", MESSAGES)

    assert f"data:image/png;base64,{PIXEL}" in json.dumps(body["messages"])


def test_logprobs_are_asked_for_and_pass_back() -> None:
    """Both ways on the same wire, to the byte."""
    fields = sent_of(chat_raw(logprobs=b"true", top_logprobs=b"5"))
    told = chunk(
        {"content": "a"},
        choices=[
            {
                "index": 0,
                "delta": {"content": "a"},
                "logprobs": {"content": [{"token": "a", "logprob": -0.1, "bytes": [97]}]},
                "finish_reason": None,
            }
        ],
    )
    stream = [told, chunk({}, "stop"), DONE]
    passed, _ = streamed(stream, logprobs=True)

    assert (bytes(fields["logprobs"]), bytes(fields["top_logprobs"])) == (b"true", b"5")
    assert passed == b"".join(stream)


def test_a_refusal_is_content() -> None:
    """A stream that only refuses is an answer, not an empty one."""
    stream = [chunk({"refusal": "I cannot help."}), chunk({}, "stop"), DONE]
    passed, reader = streamed(stream)

    assert passed == b"".join(stream)
    assert reader.text_size == len("I cannot help.")


def test_a_refusal_reaches_a_client_that_has_no_field_for_it() -> None:
    """Anthropic's clients read it as text."""
    passed, reader = streamed(
        [chunk({"refusal": "I cannot help."}), chunk({}, "stop"), DONE], "openai_chat", MESSAGES
    )

    assert b"I cannot help." in passed
    assert reader.failure is None


def test_stream_options_of_the_client_are_kept() -> None:
    """Our wish for usage is added beside them."""
    fields = sent_of(chat_raw(stream=b"true", stream_options=b'{"include_obfuscation":false}'))

    options = json.loads(bytes(fields["stream_options"]))
    assert options == {"include_obfuscation": False, "include_usage": True}


def test_unknown_fields_pass_through() -> None:
    """What we do not know is the backend's to refuse."""
    odd = b'{"a": [1, {"b" : null}]}'
    fields = sent_of(chat_raw(provider_specific=odd, chat_template_kwargs=odd))

    assert bytes(fields["provider_specific"]) == bytes(fields["chat_template_kwargs"]) == odd


@pytest.mark.parametrize(
    "number", [b"1e400", b"123456789012345678901234567890", b"-0.0", b"1.10", b"1E+2"]
)
def test_numbers_keep_their_spelling(number: bytes) -> None:
    """Seeds beyond 2^53 and numbers beyond a double do not become others."""
    fields = sent_of(
        chat_raw(own=number, messages=b'[{"role":"user","content":"x","n":%s}]' % number)
    )

    assert bytes(fields["own"]) == number
    assert number in bytes(fields["messages"])


def test_a_key_that_comes_twice_is_refused() -> None:
    """Two parsers read it in two ways: one judged, the other answered."""
    twice = b'[{"role":"user","content":"harmless","content":"4111 1111 1111 1111"}]'

    with pytest.raises(InvalidRequest, match="same key twice"):
        APIS[CHAT].decode(chat_raw(messages=twice))


@pytest.mark.parametrize("path", sorted(APIS))
def test_deep_nesting_is_refused_and_does_not_end_the_worker(path: str) -> None:
    """200 levels are a 400, in every API."""
    deep = (
        b'{"model":"auto","messages":[],"prompt":"x","input":"x","x":'
        + b"[" * 200
        + b"]" * 200
        + b"}"
    )

    with pytest.raises(InvalidRequest):
        APIS[path].decode(deep)


@pytest.mark.parametrize("path", sorted(APIS))
@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b'"text"', b"{", b"\xff\xfe", b'{"model":1}'])
def test_what_is_no_request_is_the_clients_mistake(path: str, raw: bytes) -> None:
    """Never an internal error."""
    with pytest.raises(InvalidRequest):
        APIS[path].decode(raw)


def test_encoding_twice_gives_the_same_bytes() -> None:
    """A retry must not send what the first attempt's translation left behind."""
    asked = request(
        messages=[{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        stop=["a"],
        temperature=0.5,
    )
    for back in ("openai_chat", "anthropic_messages", "ollama_chat", "openai_responses"):
        first, second = (bridge(back).encode(asked, SENDING) for _ in range(2))

        assert first == second
