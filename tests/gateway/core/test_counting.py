"""When tokens are counted before something is decided by them."""

from __future__ import annotations

from gateway.core.counting import Stakes, stakes_of, what_to_count
from gateway.core.deployment import Deployment
from gateway.core.prices import Price
from gateway.core.profile import TokenEstimate
from gateway.core.sensitivity import Sensitivity
from gateway.core.token_families import CL100K, DEAREST_IMAGE, O200K

FRONTIER = Deployment(
    name="frontier",
    adapter="openai",
    model="gpt-4o",
    clearance=Sensitivity.INTERNAL,
    price=Price(input=2_500, output=10_000, cached_input=1_250, cache_write=2_500),
    tokenizer=O200K,
)
HOUSE = Deployment(
    name="house",
    adapter="openai_compatible",
    model="llama3.1",
    clearance=Sensitivity.RESTRICTED,
    price=Price(input=200, output=200, cached_input=200, cache_write=200),
    self_hosted=True,
    context_tokens=8_192,
    tokenizer="llama3",
)
STAKES = stakes_of([HOUSE, FRONTIER])


def cheap(size: int, images: int = 0) -> TokenEstimate:
    """The estimate of so many bytes of prose."""
    upper = size + images * DEAREST_IMAGE
    return TokenEstimate(expected=size // 4, upper_bound=upper, images=images)


def test_the_dearest_input_says_what_output_weighs():
    assert (
        Stakes(
            families=frozenset({O200K, "llama3"}),
            outside=frozenset({O200K}),
            windows=((8_192, "llama3"),),
            output_weight=4.0,
        )
        == STAKES
    )


def test_a_short_prompt_with_a_long_answer_is_not_counted():
    """Its hold is nearly all output."""
    assert what_to_count(cheap(1_500), STAKES, 4_096) is None


def test_a_hold_that_would_fall_is_counted_for():
    found = what_to_count(cheap(6_000), STAKES, 4_096)

    assert found is not None
    assert found.families == {O200K, "llama3"}
    assert found.vocabularies == {O200K}


def test_a_window_between_estimate_and_bound_is_counted_for():
    """Then with the vocabulary of the model whose window it is."""
    found = what_to_count(cheap(9_000), STAKES, 1_000_000)

    assert found is not None
    assert found.vocabularies == {O200K, CL100K}


def test_a_window_that_is_passed_anyway_is_not_counted_for():
    assert what_to_count(cheap(80_000), STAKES, 10_000_000) is None


def test_images_are_no_text_to_be_counted():
    stakes = stakes_of([FRONTIER])

    assert what_to_count(cheap(500, images=3), stakes, 4_096) is None


def test_what_is_asked_for_is_always_counted():
    assert what_to_count(cheap(10), STAKES, 4_096, always=True) is not None
    assert what_to_count(cheap(10), Stakes(), 4_096, always=True) is not None
