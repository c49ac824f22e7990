"""The caller's bytes with only our keys changed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.anthropic_messages.patch import patch
from gateway.wire.anthropic_messages.view import decode
from gateway.wire.base import Sending

SENDING = Sending(model="claude-sonnet-5", output_cap=100, cap_field="max_tokens")
MESSAGES = '[{"role":"user","content":"caf\\u00e9 \\ud83d\\ude00"}]'


def sent(raw: str, sending: Sending = SENDING) -> dict[str, bytes]:
    fields = msgspec.json.decode(
        patch(decode(raw.encode()), sending).body, type=dict[str, msgspec.Raw]
    )
    return {name: bytes(value) for name, value in fields.items()}


@given(
    st.sampled_from(["1e400", "12345678901234567890123", "0.30000000000000004", '"\\u00e9"', "[ ]"])
)
def test_untouched_values_stay_byte_identical(value: str) -> None:
    """Big numbers, escapes and spaces are the caller's own."""
    got = sent(f'{{"model":"m","max_tokens":9,"messages":{MESSAGES},"odd": {value}}}')

    assert got["messages"] == MESSAGES.encode()
    assert got["odd"] == value.encode()
    assert got["model"] == b'"claude-sonnet-5"'


@pytest.mark.parametrize(
    ("asked", "expected"), [(9, b"9"), (100, b"100"), (101, b"100"), (0, b"0")]
)
def test_the_cap_is_only_lowered(asked: int, expected: bytes) -> None:
    """A smaller cap of the caller stays, also the zero that only fills a cache."""
    assert sent(f'{{"model":"m","max_tokens":{asked},"messages":{MESSAGES}}}')["max_tokens"] == (
        expected
    )


def test_masked_strings_are_replaced_and_their_neighbours_kept() -> None:
    """Only the string at the pointer changes; numbers beside it keep their spelling."""
    raw = (
        '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":['
        '{"type":"text","text":"Ada"},{"type":"odd","n":0.30000000000000004}]}]}'
    )
    hidden = (("/messages/0/content/0/text", "<PERSON_1>"),)
    got = sent(raw, msgspec.structs.replace(SENDING, hidden=hidden))

    assert b'"text":"<PERSON_1>"' in got["messages"]
    assert b"0.30000000000000004" in got["messages"]
    assert b"Ada" not in got["messages"]


def turn(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def test_reasoning_of_another_backend_is_taken_out_and_named() -> None:
    """The vendor refuses thinking without a signature; its own, signed, goes back unchanged."""
    ours = {"type": "thinking", "thinking": "from elsewhere", "signature": ""}
    theirs = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    text = {"type": "text", "text": "so"}
    turns = [turn(theirs, text), turn(ours, text), turn(ours), {"role": "user", "content": "on"}]
    request = decode(json.dumps({"model": "m", "max_tokens": 9, "messages": turns}).encode())
    encoded = patch(request, SENDING)

    assert json.loads(encoded.body)["messages"] == [turn(theirs, text), turn(text), turns[3]]
    assert encoded.lossy == ("/messages/1/content/0", "/messages/2/content/0")
    assert patch(request, SENDING) == encoded


def test_text_that_quotes_an_empty_signature_is_left_alone() -> None:
    """Only thinking blocks are looked at."""
    messages = '[{"role":"user","content":[{"type":"text","text":"x","signature":""}]}]'

    assert sent(f'{{"model":"m","max_tokens":9,"messages":{messages}}}')["messages"] == (
        messages.encode()
    )
