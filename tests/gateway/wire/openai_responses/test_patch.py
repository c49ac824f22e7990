"""The caller's own bytes go out with only our keys changed."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.base import Sending
from gateway.wire.openai_responses.patch import patch
from gateway.wire.openai_responses.sealed import seal
from gateway.wire.openai_responses.view import decode

SENDING = Sending(model="gpt", output_cap=100, cap_field="max_completion_tokens")


def sent(raw: bytes, **sending: object) -> bytes:
    return patch(decode(raw), Sending(**{"model": "gpt", "output_cap": 100, **sending})).body  # type: ignore[arg-type]


def test_untouched_values_keep_their_bytes() -> None:
    """Odd numbers and escapes survive; nothing is kept by the vendor."""
    raw = (
        b'{"model":"auto","input":[{"role":"user","content":"h\\u00e9 \\/"}],'
        b'"temperature":1.0e0,"metadata":{"n":"1E400"},"new_field":[1E400,12345678901234567890]}'
    )

    assert sent(raw) == (
        b'{"model":"gpt","input":[{"role":"user","content":"h\\u00e9 \\/"}],'
        b'"temperature":1.0e0,"metadata":{"n":"1E400"},"new_field":[1E400,12345678901234567890],'
        b'"max_output_tokens":100,"store":false}'
    )


def test_a_lower_cap_of_the_caller_stays() -> None:
    """The cap is only ever lowered, whatever the deployment calls its own field."""
    low = sent(b'{"model":"a","input":"x","max_output_tokens":7}', cap_field="max_tokens")
    high = sent(b'{"model":"a","input":"x","max_output_tokens":700}')

    assert json.loads(low)["max_output_tokens"] == 7
    assert json.loads(high)["max_output_tokens"] == 100
    assert b"max_tokens" not in low


def test_the_gateway_keeps_conversations_not_the_vendor() -> None:
    """Neither the wish to store nor a reference to the past goes out."""
    raw = b'{"model":"a","input":"x","store":true,"previous_response_id":"resp_1"}'

    assert json.loads(sent(raw)) == {
        "model": "gpt",
        "input": "x",
        "store": False,
        "max_output_tokens": 100,
    }


def test_masked_strings_are_replaced() -> None:
    """By pointer, in items and where the whole input is one string."""
    items = b'{"model":"a","input":[{"role":"user","content":[{"type":"input_text","text":"me"}]}]}'

    hidden = (("/input/0/content/0/text", "[PERSON_1]"),)
    assert b'"text":"[PERSON_1]"' in sent(items, hidden=hidden)
    assert b'"input":"[X]"' in sent(b'{"model":"a","input":"me"}', hidden=(("/input", "[X]"),))


def test_reasoning_that_another_vendor_signed_is_left_out_and_named() -> None:
    """This vendor would refuse it as forged; its own goes back to it."""
    own = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
    foreign = {**own, "id": "rs_2", "encrypted_content": seal("c2ln")}
    said = {"role": "user", "content": "fairlead-signature: is only a word here"}
    raw = json.dumps({"model": "a", "input": [own, foreign, said]}).encode()
    encoded = patch(decode(raw), SENDING)

    assert json.loads(encoded.body)["input"] == [own, said]
    assert encoded.lossy == ("/input/1",)


@given(
    extra=st.dictionaries(
        st.text(max_size=8).map(lambda name: "x" + name),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=12),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        max_size=4,
    )
)
def test_fields_that_we_do_not_know_ride_along(extra: dict[str, object]) -> None:
    """Property: whatever else a request holds arrives as it was."""
    body = {**extra, "model": "a", "input": "x"}
    out = json.loads(sent(json.dumps(body).encode()))

    assert {name: out[name] for name in extra} == extra
