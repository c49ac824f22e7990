"""Several choices, each as if it had been asked for alone."""

from __future__ import annotations

import json

import pytest

from gateway.core.conversation import fold
from gateway.wire.choices import ChoiceSplitter
from gateway.wire.openai_chat.back import OpenAIChatBack


def chunk(number: int, text: str, finish: str | None = None) -> bytes:
    choice = {"index": number, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"model": "m", "choices": [choice]}).encode() + b"\n\n"


STREAM = (
    chunk(0, "Pa")
    + chunk(1, "Ly")
    + chunk(1, "on", "length")
    + chunk(0, "ris", "stop")
    + b'data: {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 4}}\n\n'
    + b"data: [DONE]\n\n"
)


@pytest.mark.parametrize("size", [1, 5, 64, 4096])
def test_a_stream_cut_anywhere_is_taken_apart(size: int) -> None:
    """Each choice has its own text and end; usage and the end marker are everybody's."""
    splitter, back = ChoiceSplitter(2), OpenAIChatBack()
    readers = [back.reader(), back.reader()]
    events: list[list[object]] = [[], []]
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    for parts in [*map(splitter.feed, pieces), splitter.finish()]:
        for found, reader, part in zip(events, readers, parts, strict=True):
            found += reader.feed(part)
    first, second = (fold(found) for found in events)  # type: ignore[arg-type]

    assert (first.text, first.finish, first.ended) == ("Paris", "stop", True)
    assert (second.text, second.finish, second.ended) == ("Lyon", "length", True)
    assert first.usage == second.usage


def test_a_whole_answer_is_taken_apart_and_what_is_none_is_not() -> None:
    """Choices come in any order; an error stays an error for each."""
    choices = [
        {"index": number, "message": {"content": text}, "finish_reason": "stop"}
        for number, text in ((1, "b"), (0, "a"))
    ]
    body = json.dumps({"choices": choices}).encode()
    texts = [fold(OpenAIChatBack().read(part)).text for part in ChoiceSplitter(2).whole(body)]

    splitter = ChoiceSplitter(3)
    splitter.whole(body)

    assert texts == ["a", "b"]
    assert splitter.seen == {0, 1}
    assert ChoiceSplitter(2).whole(b"no") == [b"no", b"no"]
