"""Embeddings: inputs of every shape, bytes that pass, and answers that are none."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from gateway.core.errors import InvalidRequest
from gateway.wire.base import Sending
from gateway.wire.openai_embeddings.relay import PassThrough
from gateway.wire.openai_embeddings.view import decode

SENDING = Sending(model="real", output_cap=100)
ANSWER = b'{"object":"list","data":[{"embedding":[1e-400,0.10]}],"model":"m","usage":%s}'


def request(given: Any = "hello", **fields: Any) -> Any:
    return decode(json.dumps({"model": "auto", "input": given} | fields).encode())


@pytest.mark.parametrize(
    ("given", "texts", "token_ids"),
    [
        ("one", ["one"], 0),
        (["one", "two"], ["one", "two"], 0),
        ([1, 2, 3], [], 3),
        ([[1, 2], [3]], [], 3),
        (list(range(3000)), [], 3000),
    ],
)
def test_inputs_of_every_shape(given: Any, texts: list[str], token_ids: int) -> None:
    """Every text is judged; token ids are counted as unread; nothing is held for output."""
    seen = request(given)

    assert [segment.text for segment in seen.segments] == texts
    assert (seen.token_ids, seen.choices, seen.stream) == (token_ids, 0, False)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"input": ["a", [1]]}, "input"),
        ({"input": [[]]}, "input"),
        ({"input": [1.5]}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": "3"}, "dimensions"),
        ({"encoding_format": 1}, "encoding_format"),
        ({"model": None}, "model"),
    ],
)
def test_what_cannot_be_embedded_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    """Before anything is spent."""
    with pytest.raises(InvalidRequest) as caught:
        decode(json.dumps({"model": "auto", "input": "x"} | fields).encode())

    assert caught.value.param == param


def test_only_the_model_changes_on_the_way_out() -> None:
    """No cap, no other field, odd values to the byte."""
    raw = b'{"model":"auto","input":[ "h\\u0069" ],"own":1e400,"dimensions": 2}'
    sent = msgspec.json.decode(
        PassThrough().encode(decode(raw), SENDING).body, type=dict[str, msgspec.Raw]
    )

    assert {name: bytes(value) for name, value in sent.items()} == {
        "model": b'"real"',
        "input": b'[ "h\\u0069" ]',
        "own": b"1e400",
        "dimensions": b"2",
    }


def test_masked_inputs_are_replaced_where_they_stand() -> None:
    """By pointer into the list."""
    sending = msgspec.structs.replace(SENDING, hidden=(("/input/1", "[EMAIL_1]"),))
    body = PassThrough().encode(request(["a", "jane@corp.com"]), sending).body

    assert json.loads(body)["input"] == ["a", "[EMAIL_1]"]


@pytest.mark.parametrize(
    ("told", "tokens"),
    [
        (b'{"prompt_tokens":8,"total_tokens":8}', 8),
        (b'{"total_tokens":8}', 8),
        (b'{"prompt_tokens":0,"total_tokens":0}', None),
        (b'{"prompt_tokens":"8"}', None),
        (b'{"prompt_tokens":-1}', None),
        (b"null", None),
    ],
)
def test_usage_is_read_leniently_and_the_answer_passes_as_it_is(
    told: bytes, tokens: int | None
) -> None:
    """Vectors keep their spelling; zero or garbage is missing."""
    reply = PassThrough().reply(request(), ANSWER % told)

    assert reply.body == ANSWER % told
    assert reply.failure is None
    assert (reply.usage.input_tokens if reply.usage else None) == tokens


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"data":null}', b'{"error":{"message":"no"},"data":[]}']
)
def test_what_is_no_embeddings_answer_is_a_failure(body: bytes) -> None:
    """Whatever its status said."""
    assert PassThrough().reply(request(), body).failure is not None
