"""A body tells which API it is written for."""

from __future__ import annotations

import msgspec
import pytest

from gateway.core.errors import InvalidRequest
from gateway.runtime.reading import NAMES, api_named, api_of

SAID = [{"role": "user", "content": "hello"}]
PICTURE = [{"role": "user", "content": [{"type": "image", "source": {}}]}]
BODIES = [
    ("chat", {"messages": SAID}),
    ("chat", {"messages": SAID, "max_tokens": 5}),
    ("chat", {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}),
    ("chat", {"messages": "nonsense", "tools": "nonsense"}),
    ("messages", {"messages": SAID, "system": "Be brief."}),
    ("messages", {"messages": SAID, "tools": [{"name": "t", "input_schema": {}}]}),
    ("messages", {"messages": PICTURE}),
    ("responses", {"input": "hello"}),
    ("responses", {"input": SAID}),
    ("responses", {"input": ["a"], "instructions": "Be brief."}),
    ("completions", {"prompt": "hello"}),
    ("embeddings", {"input": ["a", "b"]}),
    ("embeddings", {"input": "a", "dimensions": 8}),
]


@pytest.mark.parametrize(("name", "fields"), BODIES)
def test_a_body_is_told_by_what_only_one_api_has(name: str, fields: dict[str, object]) -> None:
    """Fields, tools and blocks of one API name it."""
    assert api_of(msgspec.json.encode({"model": "auto"} | fields)) is api_named(name)


@pytest.mark.parametrize("raw", [b"", b"[]", b'"text"', b"{}", b'{"model": "auto"}', b"\xff"])
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    """It is said, and nothing is guessed."""
    with pytest.raises(InvalidRequest):
        api_of(raw)


def test_every_api_can_be_named_and_no_other() -> None:
    """The names are those of policies."""
    assert NAMES == ("chat", "responses", "completions", "embeddings", "messages")
    with pytest.raises(InvalidRequest, match="'chats' is not an API"):
        api_named("chats")
