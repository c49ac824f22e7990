"""Log probabilities that nobody but a check asked for are taken out, and nothing else."""

from __future__ import annotations

import json

import pytest

from gateway.wire.unasked import Stripper

BODY = (
    b'{"id":"a","big":1e400,"choices":[{"message":{"content":"say \\"logprobs\\": 1"},'
    b'"logprobs":{"content":[{"token":"t","logprob":-0.1}]},"finish_reason":"stop"}]}'
)
STREAM = (
    b'data: {"choices":[{"delta":{"content":"a"},"logprobs":{"content":[]}}]}\n\n'
    b": comment\n\n"
    b'data: {"choices":[{"delta":{"content":"\\"logprobs\\""}}]}\n\n'
    b"data: [DONE]\n\n"
)


def test_a_whole_answer_keeps_every_other_byte() -> None:
    """Numbers beyond a double and quoted words stay as they were written."""
    stripped = Stripper("openai_chat").whole(BODY)

    assert b'"logprobs":null' in stripped
    assert b"1e400" in stripped
    assert b'say \\"logprobs\\": 1' in stripped
    assert b"-0.1" not in stripped


def test_what_is_no_json_stays_as_it_is() -> None:
    """The bridge says what is wrong with it."""
    assert Stripper("openai_chat").whole(b'<"logprobs"') == b'<"logprobs"'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 30, 1000])
def test_a_stream_cut_anywhere_is_stripped_event_by_event(size: int) -> None:
    """Events without them keep their bytes, comments and the end marker too."""
    stripper = Stripper("openai_chat")
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    stripped = b"".join(map(stripper.feed, pieces)) + stripper.finish()

    assert stripped == STREAM.replace(b'"logprobs":{"content":[]}', b'"logprobs":null')


def test_an_event_keeps_its_name_and_responses_keep_their_list() -> None:
    """Clients of Responses parse a list, wherever it stands."""
    event = (
        b"event: response.output_text.delta\n"
        b'data: {"type":"response.output_text.delta","delta":"a","logprobs":[{"token":"a"}]}\n\n'
    )
    stripped = Stripper("openai_responses").feed(event)

    assert stripped.startswith(b"event: response.output_text.delta\ndata: ")
    assert json.loads(stripped.partition(b"data: ")[2])["logprobs"] == []


def test_lines_of_ollama_are_stripped_one_by_one() -> None:
    """A line that is cut waits for its end."""
    stripper = Stripper("ollama_chat")
    line = b'{"message":{"content":"a"},"logprobs":[{"token":"a"}],"done":false}\n'
    stripped = stripper.feed(line[:20]) + stripper.feed(line[20:]) + stripper.finish()

    assert stripped == b'{"message":{"content":"a"},"logprobs":null,"done":false}\n'
