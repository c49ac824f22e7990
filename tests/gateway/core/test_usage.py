"""Usage by classes that do not overlap."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.usage import (
    COUNTED,
    INPUT_CLASSES,
    OUTPUT_CLASSES,
    Usage,
    difference,
    quantities,
)


def test_parts_are_taken_out_of_their_totals() -> None:
    """A request with everything in it."""
    usage = Usage(
        input_tokens=1000,
        cached_input_tokens=300,
        cached_audio_tokens=20,
        cached_image_tokens=30,
        cache_write_tokens=200,
        cache_write_1h_tokens=50,
        input_audio_tokens=120,
        input_image_tokens=80,
        output_tokens=500,
        reasoning_tokens=100,
        output_audio_tokens=40,
        output_image_tokens=60,
        web_searches=2,
    )

    assert dict(quantities(usage)) == {
        "input": 1000 - 300 - 200 - 100 - 50,
        "cached_input": 250,
        "cached_audio": 20,
        "cached_image": 30,
        "cache_write": 150,
        "cache_write_1h": 50,
        "input_audio": 100,
        "input_image": 50,
        "output": 300,
        "reasoning": 100,
        "output_audio": 40,
        "output_image": 60,
        "web_search": 2,
    }


@given(st.builds(Usage, **dict.fromkeys(COUNTED, st.integers(0, 10**7))))
def test_no_token_is_lost(usage: Usage) -> None:
    """Property: the classes hold at least the totals, and every part."""
    found = dict(quantities(usage))
    inputs = sum(found.get(name, 0) for name in INPUT_CLASSES)
    outputs = sum(found.get(name, 0) for name in OUTPUT_CLASSES)

    assert inputs >= max(usage.input_tokens, usage.cached_input_tokens, usage.cache_write_tokens)
    assert outputs >= max(usage.output_tokens, usage.reasoning_tokens)


@given(st.builds(Usage, **dict.fromkeys(COUNTED, st.integers(0, 10**7))))
def test_a_difference_leads_from_one_to_the_other(usage: Usage) -> None:
    """Property: from nothing to a usage is the usage itself."""
    assert difference(usage, Usage(estimated=True)) == usage


def test_old_usage_can_be_read() -> None:
    """Lines of before the classes."""
    old = (
        b'{"input_tokens":5,"cached_input_tokens":0,"cache_write_tokens":0,'
        b'"output_tokens":3,"reasoning_tokens":0,"estimated":false}'
    )

    assert msgspec.json.decode(old, type=Usage) == Usage(input_tokens=5, output_tokens=3)
