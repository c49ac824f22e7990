"""Bytes in, bytes out: only our keys change."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.base import Sending
from gateway.wire.openai_chat.patch import patch
from gateway.wire.openai_chat.view import decode

SENDING = Sending(model="real-model", output_cap=100)
ODD_VALUES = [
    b"1e400",
    b"123456789012345678901234567890",
    b"-0.0",
    b"1.10",
    b'"\\u00e9\\/ \\ud83d\\ude00"',
    b'{ "spaced" :  [ 1 ,2 ] }',
    b"null",
    b"[]",
]


def request_with(**fields: bytes) -> bytes:
    basic = {
        "model": b'"auto"',
        "messages": b'[ {"role":"user", "content":"h\\u0069" } ]',
    }
    pairs = (basic | fields).items()
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), raw) for name, raw in pairs) + b"}"


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(ODD_VALUES)))
def test_every_value_that_is_not_ours_keeps_its_bytes(odd: dict[str, bytes]) -> None:
    """Property: big numbers, escapes and spaces inside values survive untouched."""
    raw = request_with(**odd)

    sent = patch(decode(raw), SENDING).body
    before = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    after = msgspec.json.decode(sent, type=dict[str, msgspec.Raw])

    assert bytes(after.pop("model")) == b'"real-model"'
    assert bytes(after.pop("max_completion_tokens")) == b"100"
    del before["model"]
    assert {k: bytes(v) for k, v in before.items()} == {k: bytes(v) for k, v in after.items()}


def test_patching_twice_gives_the_same_bytes() -> None:
    """A retry sends what the first try sent."""
    request = decode(request_with(stream=b"true"))

    assert patch(request, SENDING) == patch(request, SENDING)


def test_a_smaller_cap_of_the_caller_stays_as_it_was_written() -> None:
    """We never raise a cap, and keep the field the caller chose."""
    sent = msgspec.json.decode(patch(decode(request_with(max_tokens=b"7")), SENDING).body)

    assert sent["max_tokens"] == 7
    assert "max_completion_tokens" not in sent


def test_a_larger_cap_is_lowered_to_what_was_held_for() -> None:
    """Spend can never pass the hold, so the cap that was held for is the one that is sent."""
    sent = msgspec.json.decode(patch(decode(request_with(max_tokens=b"7000")), SENDING).body)

    assert sent["max_tokens"] == 100


def test_a_null_cap_counts_as_none() -> None:
    """null is the same as leaving it out, and must not travel beside ours."""
    sent = msgspec.json.decode(patch(decode(request_with(max_tokens=b"null")), SENDING).body)

    assert sent["max_completion_tokens"] == 100
    assert "max_tokens" not in sent


def test_streams_are_asked_for_usage_beside_the_callers_own_options() -> None:
    """Accounting needs usage; other stream options stay."""
    raw = request_with(stream=b"true", stream_options=b'{"include_obfuscation": false}')
    sent = msgspec.json.decode(patch(decode(raw), SENDING).body)

    assert sent["stream_options"] == {"include_obfuscation": False, "include_usage": True}


def test_hidden_strings_are_replaced_and_numbers_beside_them_keep_their_spelling() -> None:
    """Masking changes one string; even odd numbers of the same field survive."""
    raw = request_with(extra=b'{"a/b": ["x", "secret"], "n": 1.10, "huge": 1e400}')
    hidden = (("/extra/a~1b/1", "[EMAIL_1]"), ("/messages/0/content", "hidden"))
    sending = Sending(model="m", output_cap=1, hidden=hidden)

    sent = msgspec.json.decode(patch(decode(raw), sending).body, type=dict[str, msgspec.Raw])

    assert bytes(sent["extra"]) == b'{"a/b":["x","[EMAIL_1]"],"n":1.10,"huge":1e400}'
    assert b'"hidden"' in bytes(sent["messages"])
