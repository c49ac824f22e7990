"""Which pictures stand in a request, and where."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.classifier import text_request
from gateway.classify.pictures import MOST_PICTURES, Picture, pictures_of, shown
from gateway.wire.anthropic_messages.view import decode as decode_messages
from gateway.wire.openai_chat.view import decode as decode_chat
from gateway.wire.openai_responses.view import decode as decode_responses

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(90))
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(60)
WAVE = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(60)


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def url(raw: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{encoded(raw)}"


def chat(*urls: str, text: str = "") -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
    parts += [{"type": "image_url", "image_url": {"url": one}} for one in urls]
    return {"model": "auto", "messages": [{"role": "user", "content": parts}]}


def messages(raw: bytes) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "image/png", "data": encoded(raw)}
    said = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    return {"model": "auto", "max_tokens": 5, "messages": said}


def responses(*urls: str) -> dict[str, Any]:
    parts = [{"type": "input_image", "image_url": one} for one in urls]
    return {"model": "auto", "input": [{"role": "user", "content": parts}]}


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        (decode_chat, chat(url(PNG))),
        (decode_chat, chat(url(WEBP, "webp"))),
        (decode_messages, messages(PNG)),
        (decode_responses, responses(url(PNG))),
    ],
    ids=["chat", "webp", "messages", "responses"],
)
def test_a_picture_is_found_in_every_api(decode: Any, body: dict[str, Any]) -> None:
    """With its own bytes, and the place of its base64 in the string."""
    request = decode(msgspec.json.encode(body))
    (picture,), more = pictures_of(request)

    assert not more
    assert picture.raw in (PNG, WEBP)
    text = request.segments[picture.segment].text
    assert text[picture.start : picture.end].rstrip("=") == encoded(picture.raw).rstrip("=")


@pytest.mark.parametrize(
    "body",
    [
        chat("https://files.example.test/scan.png"),
        chat(url(PNG), "https://files.example.test/scan.png"),
        chat("https://files.example.test/scan.png", text=encoded(PNG)),
        chat("data:image/svg+xml;base64," + encoded(b"<svg>" + bytes(30))),
        chat("data:image/png,%89PNG"),
        chat(*[url(PNG)] * (MOST_PICTURES + 1)),
        responses("https://files.example.test/scan.png"),
    ],
    ids=["linked", "one-of-two", "one-in-the-text", "svg", "percent", "too-many", "responses"],
)
def test_what_is_not_here_to_be_read_is_told(body: dict[str, Any]) -> None:
    """Linked pictures are not fetched, and somebody has to know that there are some."""
    decode = decode_responses if "input" in body else decode_chat
    pictures, more = pictures_of(decode(msgspec.json.encode(body)))

    assert more
    assert len(pictures) <= MOST_PICTURES


@pytest.mark.parametrize(
    "text",
    ["", "iVBORw0KGgo", "see data:image/png;base64, please", encoded(WAVE), "a" * 5000],
    ids=["nothing", "a-mark", "words", "sound", "letters"],
)
def test_other_text_has_no_pictures(text: str) -> None:
    """Words about pictures and sounds in RIFF files are none."""
    assert pictures_of(text_request(text)) == ((), False)


@given(st.text(alphabet="ABU/9j+iVORw0KGgo=,;:data-image base64png_", max_size=300))
def test_any_text_can_be_looked_at(text: str) -> None:
    """No text makes it fail, and places lie in the text."""
    pictures, _ = pictures_of(text_request(text))

    for one in pictures:
        assert 0 <= one.start < one.end <= len(text)


def test_findings_stand_where_their_picture_stands() -> None:
    """Types and confidence are those of the text; a failure is told."""
    picture = Picture(3, 22, 90, PNG)
    looked = shown([picture], [[("us_ssn", 0.9), ("person", 0.8)]], unread=True)

    assert [(one.type, one.segment, one.start, one.end) for one in looked.findings] == [
        ("us_ssn", 3, 22, 90),
        ("person", 3, 22, 90),
    ]
    assert looked.failure == "unread"
