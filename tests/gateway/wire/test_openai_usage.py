"""Usage of OpenAI's wires: every class that they tell, and no more than the total."""

from __future__ import annotations

from gateway.core.usage import Usage
from gateway.wire.openai_responses import usage as responses
from gateway.wire.openai_usage import read_usage


def test_every_class_is_read() -> None:
    """Audio, pictures and what was cached of each, with the tier that stands beside them."""
    found = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {
            "cached_tokens": 30,
            "cached_tokens_details": {"text_tokens": 15, "audio_tokens": 10, "image_tokens": 5},
            "audio_tokens": 40,
            "image_tokens": 20,
            "cache_write_tokens": 7,
        },
        "completion_tokens_details": {"reasoning_tokens": 9, "audio_tokens": 20},
    }

    assert read_usage(found, "priority") == Usage(
        input_tokens=100,
        cached_input_tokens=30,
        cache_write_tokens=7,
        input_audio_tokens=40,
        cached_audio_tokens=10,
        input_image_tokens=20,
        cached_image_tokens=5,
        output_tokens=50,
        reasoning_tokens=9,
        output_audio_tokens=20,
        service_tier="priority",
    )


def test_a_part_never_exceeds_its_total() -> None:
    """Some servers count a cache twice."""
    found = {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 99}}
    usage = read_usage(found)

    assert usage == Usage(input_tokens=10, cached_input_tokens=10)


def test_no_input_is_no_usage() -> None:
    """Zeros, nulls and words are what servers send that did not count."""
    for found in (None, {}, {"prompt_tokens": 0, "completion_tokens": 4}, {"prompt_tokens": "9"}):
        assert read_usage(found) is None


def test_searches_of_a_response_are_counted_by_the_piece() -> None:
    """A page that is opened or looked into is no search of its own."""
    output = [
        {"type": "web_search_call", "action": {"type": "search"}},
        {"type": "web_search_call", "action": {"type": "open_page"}},
        {"type": "web_search_call"},
        {"type": "message"},
    ]
    told = {"usage": {"input_tokens": 3, "output_tokens": 1}, "output": output}

    assert responses.read_usage({**told, "service_tier": "flex"}) == Usage(
        input_tokens=3, output_tokens=1, web_searches=2, service_tier="flex"
    )
