"""What a second stage reads of a request, and that findings come back to its own strings."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.classifier import text_request
from gateway.classify.detectors.base import Found
from gateway.classify.second_stage.passage import passage_of
from gateway.core.request import ChatRequest, Segment
from gateway.wire.openai_chat.view import decode

FILE = "data:image/png;base64," + "A" * 4000


def request_of(*segments: Segment) -> ChatRequest:
    return msgspec.structs.replace(text_request(""), segments=segments)


def test_all_is_read_but_definitions_of_tools_and_the_bytes_of_files() -> None:
    """What the app itself wrote about its tools, and pictures, are not for a text analyzer."""
    body = {
        "model": "auto",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Who is it?"},
                    {"type": "image_url", "image_url": {"url": FILE}},
                    {"type": "new_kind", "note": "Ask Maria."},
                ],
            },
        ],
        "tools": [{"type": "function", "function": {"name": "f", "description": "Told by Jo."}}],
    }
    text = passage_of(decode(msgspec.json.encode(body))).text

    assert all(part in text for part in ("Be brief.", "Who is it?", "Ask Maria."))
    assert "Jo." not in text
    assert FILE not in text


def test_surrogates_without_partner_keep_their_place() -> None:
    """They cannot be sent; what stands for one is as long."""
    passage = passage_of(request_of(Segment("a\ud800b", "/x")))

    assert passage.text == "a\ufffdb\n"


@given(
    st.lists(st.tuples(st.text(max_size=20), st.sampled_from(("text", "tool_definition", "key")))),
    st.integers(0, 200),
    st.integers(1, 50),
)
def test_findings_lie_within_the_strings_that_they_name(
    parts: list[tuple[str, str]], start: int, length: int
) -> None:
    """Whatever place an answer names in the text, each finding says the very same characters."""
    request = request_of(
        *(Segment(text, f"/{n}", kind=kind) for n, (text, kind) in enumerate(parts))
    )
    passage = passage_of(request)
    text = passage.joined.text
    start, end = min(start, len(text)), min(start + length, len(text))
    findings = passage.findings([Found("person", start, end, 0.9)]) if end > start else []

    for one in findings:
        said = request.segments[one.segment].text
        assert 0 <= one.start < one.end <= len(said)
        assert said[one.start : one.end] in text[start:end]
        assert request.segments[one.segment].kind != "tool_definition"
