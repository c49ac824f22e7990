"""Text completion requests as views: prompts of every shape, caps and what cannot be translated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.errors import InvalidRequest
from gateway.wire.openai_completions.view import decode, untranslatable


def view(**fields: Any) -> Any:
    return decode(json.dumps({"model": "auto", "prompt": "hello"} | fields).encode())


@pytest.mark.parametrize(
    ("prompt", "texts", "token_ids", "prompts"),
    [
        ("one", ["one"], 0, 1),
        (["one", "two"], ["one", "two"], 0, 2),
        ([1, 2, 3], [], 3, 1),
        ([[1, 2], [3]], [], 3, 2),
        (None, [], 0, 1),
    ],
)
def test_prompts_of_every_shape(
    prompt: Any, texts: list[str], token_ids: int, prompts: int
) -> None:
    """Texts are segments to be judged; token ids are counted as unread."""
    seen = view(prompt=prompt)

    assert [segment.text for segment in seen.segments] == texts
    assert {segment.role for segment in seen.segments} <= {"user"}
    assert (seen.token_ids, seen.turns) == (token_ids, prompts)


def test_every_candidate_answer_is_held_for() -> None:
    """Two prompts with the best of three are six answers."""
    assert view(prompt=["a", "b"], n=2, best_of=3).choices == 6


@pytest.mark.parametrize(
    ("fields", "cap"),
    [
        ({}, 16),
        ({"max_tokens": None}, 16),
        ({"max_tokens": 7}, 7),
        ({"max_tokens": 0, "echo": True}, 0),
    ],
)
def test_the_documented_default_is_the_cap(fields: dict[str, Any], cap: int) -> None:
    """Clients of this API rely on 16."""
    assert view(**fields).max_output_tokens == cap


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a", 1]}, "prompt"),
        ({"prompt": [True]}, "prompt"),
        ({"prompt": {}}, "prompt"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"best_of": 1000}, "best_of"),
        ({"echo": "yes"}, "echo"),
        ({"model": ""}, "model"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    """Before anything is spent."""
    with pytest.raises(InvalidRequest) as caught:
        view(**fields)

    assert caught.value.param == param


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({}, ()),
        ({"prompt": ["only one"]}, ()),
        ({"echo": False, "suffix": "", "logprobs": None}, ()),
        ({"echo": True, "suffix": "end", "logprobs": 0}, ("/echo", "/suffix")),
        ({"prompt": [1, 2]}, ("/prompt",)),
        ({"prompt": None}, ("/prompt",)),
    ],
)
def test_what_only_a_text_model_does_is_named(
    fields: dict[str, Any], pointers: tuple[str, ...]
) -> None:
    """Asking for nothing is no obstacle."""
    assert untranslatable(view(**fields)) == pointers
