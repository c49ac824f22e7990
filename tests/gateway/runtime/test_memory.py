"""By what a conversation is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.core.principal import Principal
from gateway.core.request import ChatRequest
from gateway.runtime.bridges import APIS
from gateway.runtime.memory import conversation_of

ANN = Principal(org="acme", team="t", key_id="k1")


def known_by(request: ChatRequest, session: str = "", who: Principal = ANN) -> str:
    """The digest of a conversation."""
    return conversation_of(b"secret", who, request, session)


def chat(*said: str, **more: Any) -> ChatRequest:
    """A conversation in which user and model take turns."""
    turns = [
        {"role": "assistant" if place % 2 else "user", "content": text}
        for place, text in enumerate(said)
    ]
    body = {"model": "auto", "messages": turns, **more}
    return APIS["/v1/chat/completions"].decode(json.dumps(body).encode())


def test_a_conversation_is_known_by_how_it_began() -> None:
    """Whatever comes after the first answer, and whatever the client cuts out there."""
    known = known_by(chat("hi", "Hello Ann.", "my card …"))

    assert known
    assert known_by(chat("hi", "Hello Ann.", "never mind")) == known
    assert known_by(chat("hi", "Hello Ann.", "a", "b", "c")) == known
    assert known_by(chat("hi", "Hello Bob.", "never mind")) != known


def test_one_that_only_begins_is_not_known() -> None:
    assert known_by(chat("hi")) == ""


def test_a_named_session_is_known_from_its_first_turn() -> None:
    """Under the same team and app, whichever key is used."""
    other_key = Principal(org="acme", team="t", key_id="k2")
    other_team = Principal(org="acme", team="u", key_id="k1")
    known = known_by(chat("hi"), "4711")

    assert known
    assert known_by(chat("something else"), "4711", other_key) == known
    assert known_by(chat("hi"), "4711", other_team) != known
    assert known_by(chat("hi"), "4712") != known


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", {"max_tokens": 9}),
        ("/v1/chat/completions", {}),
    ],
)
def test_every_chat_api_tells_how_it_began(path: str, body: dict[str, Any]) -> None:
    def asked(turns: Sequence[str]) -> str:
        messages = [
            {"role": "assistant" if place % 2 else "user", "content": text}
            for place, text in enumerate(turns)
        ]
        document = {"model": "auto", "messages": messages, **body}
        return known_by(APIS[path].decode(json.dumps(document).encode()))

    assert asked(["a", "b", "c"]) == asked(["a", "b", "d"]) != ""
