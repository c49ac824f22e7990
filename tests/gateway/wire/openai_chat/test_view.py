"""The view of a chat request: everything is seen, nothing is guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import InvalidRequest
from gateway.wire.openai_chat.view import decode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)


def body(**more: Any) -> bytes:
    fields: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
    return json.dumps(fields | more).encode()


def strings_in(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [s for k, v in node.items() for s in (k, *strings_in(v))]
    if isinstance(node, list):
        return [s for one in node for s in strings_in(one)]
    return []


def test_every_kind_of_string_is_a_segment_with_its_place_and_role() -> None:
    """Roles, names, tool arguments and results, image URLs and unknown parts are all seen."""
    raw = body(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "name": "Ada", "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                {"type": "hologram", "secret_part": {"deep": ["4111"]}},
            ]},
            {"role": "assistant", "tool_calls": [
                {"id": "c1", "function": {"name": "f", "arguments": "{\"q\": 1}"}}
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "result"},
        ],
        user="u-1",
        unheard_of={"x": "y"},
    )  # fmt: skip

    seen = {segment.pointer: (segment.text, segment.role) for segment in decode(raw).segments}

    assert seen["/messages/0/content"] == ("Be brief.", "system")
    assert seen["/messages/1/name"] == ("Ada", "user")
    assert seen["/messages/1/content/1/image_url/url"] == ("https://example.org/a.png", "user")
    assert seen["/messages/1/content/2/secret_part/deep/0"] == ("4111", "user")
    assert seen["/messages/2/tool_calls/0/function/arguments"] == ('{"q": 1}', "assistant")
    assert seen["/messages/3/content"] == ("result", "tool")
    assert seen["/user"] == ("u-1", "")
    assert seen["/unheard_of/x"] == ("y", "")


@given(JSON)
def test_no_string_of_an_unknown_field_goes_unseen(unknown: Any) -> None:
    """Property: whatever the document holds, keys included, classification gets to see it."""
    request = decode(body(extra=unknown))
    seen = {segment.text for segment in request.segments}

    missed = {text for text in strings_in(unknown) if text} - seen
    assert all(len(word) < 24 and word.isprintable() for word in missed)
    # Only words of the API itself are passed over.
    assert not {word for word in missed if any(c.isdigit() for c in word)}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "could not parse"),
        (b"{", "could not parse"),
        (b"[1]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"\xff\xfe", "not valid UTF-8"),
        (b'{"model":"a","messages":[{"role":"user","content":"\\ud800"}]}', "could not parse"),
        (body(messages=[]), "at least one message"),
        (body(messages="hi"), "expected an array"),
        (body(messages=["hi"]), r"messages\[0\]"),
        (body(messages=[{"content": "x"}]), r"messages\[0\].role"),
        (body(messages=[{"role": "user", "content": 5}]), r"messages\[0\].content"),
        (body(model=5), "expected a string"),
        (body(model=""), "model parameter"),
        (body(stream="yes"), "true or false"),
        (body(temperature="hot"), "expected an integer or a number"),
        (body(max_tokens=0), "at least 1"),
        (body(max_tokens=True), "expected an integer"),
        (body(n=1000), "between 1 and 128"),
        (b'{"model":"a","messages":' + b"[" * 100_000, "nested"),
        (b'{"model":"a","model":"b","messages":[{"role":"user","content":"x"}]}', "same key twice"),
        (
            b'{"model":"a","messages":[{"role":"user","content":"secret","content":"x"}]}',
            "same key twice",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_in_one_way_only_is_refused_with_its_place(
    raw: bytes, words: str
) -> None:
    """Each wrong body gets one sentence that says what is wrong and where."""
    with pytest.raises(InvalidRequest, match=words):
        decode(raw)


def test_two_hundred_levels_are_refused_and_fifty_are_not() -> None:
    """Depth is bounded where every JSON parser still agrees."""

    def nested(depth: int) -> bytes:
        return body(extra=json.loads('{"a":' * depth + "1" + "}" * depth))

    assert decode(nested(50)).model == "auto"
    with pytest.raises(InvalidRequest, match="nested"):
        decode(nested(200))


def test_needs_and_caps_are_read_from_the_request() -> None:
    """Tools, schema and vision are needs; the smaller of both caps is the caller's."""
    request = decode(
        body(
            tools=[{"type": "function", "function": {"name": "f"}}],
            response_format={"type": "json_schema", "json_schema": {"name": "x"}},
            max_tokens=50,
            max_completion_tokens=40,
            n=3,
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    assert request.needs.names() == {"tools", "schema"}
    assert (request.max_output_tokens, request.choices) == (40, 3)
    assert request.stream
    assert request.include_usage
