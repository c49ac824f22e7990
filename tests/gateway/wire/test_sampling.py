"""Sampling parameters keep their meaning on every wire, or are named as lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import Conversation
from gateway.wire.sampling import BOUNDS, PARAMETERS, sampled


@pytest.mark.parametrize("wire", sorted(BOUNDS))
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.floats(0, 2),
            "top_p": st.floats(0, 1),
            "top_k": st.integers(0, 500),
            "frequency_penalty": st.floats(-2, 2),
            "presence_penalty": st.floats(-2, 2),
            "seed": st.integers(-(2**40), 2**40),
        },
    )
)
def test_a_value_arrives_as_it_was_or_is_named(wire: str, asked: dict[str, float]) -> None:
    """No value is changed or left out in silence, unless it asks for nothing."""
    fields, lossy = sampled(Conversation(messages=(), **asked), wire)  # type: ignore[arg-type]
    nothing = {"temperature": 1, "top_p": 1, "top_k": 0}

    for name in PARAMETERS:
        if name not in asked:
            assert name not in fields
        elif f"/{name}" not in lossy:
            assert fields.get(name, nothing.get(name, 0)) == asked[name]
    assert set(lossy) <= {f"/{name}" for name in asked}


def test_a_value_out_of_range_is_clamped() -> None:
    """The nearest value that the wire takes goes out."""
    fields, lossy = sampled(
        Conversation(messages=(), temperature=1.5), "anthropic_messages_2023_06_01"
    )

    assert (fields, lossy) == ({"temperature": 1}, ["/temperature"])
