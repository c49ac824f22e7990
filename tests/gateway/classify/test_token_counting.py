"""What tokenizer families make of a request, against the vocabularies themselves."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.classifier import text_request
from gateway.classify.token_counting import counted
from gateway.classify.tokens import estimate
from gateway.core.profile import Needs, TokenEstimate
from gateway.core.request import ChatRequest
from gateway.core.token_families import CL100K, DEAREST_IMAGE, FAMILIES, O200K, Vocabulary
from gateway.wire.openai_chat.view import decode

Vocabularies = Mapping[str, Vocabulary]
#: Kinds of text that differ in how many bytes one token has.
TEXTS = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=200).map(lambda raw: base64.b64encode(raw).decode()),
    st.binary(max_size=200).map(bytes.hex),
    st.integers(0, 10**200).map(str),
    st.lists(st.sampled_from(["😀", "👍🏽", "🇩🇪", "☃️"]), max_size=40).map("".join),
    st.lists(st.sampled_from([" ", "\n", "\t", "    "]), max_size=60).map("".join),
    st.text(alphabet="abcdefghijklmnopqrstuvwxyz", max_size=400),
    st.sampled_from(["x", "=", "中", "ß"]).flatmap(
        lambda unit: st.integers(0, 300).map(lambda times: unit * times)
    ),
    st.lists(
        st.sampled_from(["def f(x):\n    return x\n", '{"key": [1, 2.5, null]}', "SELECT 1;"]),
        max_size=8,
    ).map("".join),
)


def request_of(body: dict[str, Any], *, ascii_only: bool = False) -> ChatRequest:
    return decode(json.dumps({"model": "m", **body}, ensure_ascii=ascii_only).encode())


def all_counted(request: ChatRequest, vocabularies: Vocabularies) -> TokenEstimate:
    text = "\n".join(part.text for part in request.segments)
    return counted(request, estimate(request, text), FAMILIES, vocabularies)


@settings(deadline=None, max_examples=300)
@given(text=TEXTS)
def test_bounds_hold_for_any_text(vocabularies: Vocabularies, text: str):
    """Public vocabularies are counted; no bound is below them or above a token a byte."""
    request = text_request(text)
    tokens = all_counted(request, vocabularies)

    for name in (O200K, CL100K):
        exact = vocabularies[name].count(text)
        assert (tokens.expected_by(name), tokens.most_by(name)) == (exact, exact)
    for name in FAMILIES:
        calibrated = tokens.most_by(name, calibrated=True)
        assert tokens.expected_by(name) <= calibrated <= tokens.most_by(name) <= request.size
        assert FAMILIES[name].vocabulary or tokens.most_by(name) == request.size
    assert tokens.most_by("llama3") == tokens.most_by(CL100K)


@settings(deadline=None, max_examples=200)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4), ascii_only=st.booleans())
def test_bounds_hold_for_conversations(
    vocabularies: Vocabularies, texts: list[str], ascii_only: bool
):
    """What chat templates add is inside the bound, however the JSON was escaped."""
    messages = [{"role": "user", "content": text} for text in texts]
    try:
        request = request_of({"messages": messages}, ascii_only=ascii_only)
    except UnicodeEncodeError:
        return
    tokens = all_counted(request, vocabularies)

    for name in (O200K, CL100K):
        true = sum(vocabularies[name].count(text) for text in texts) + 4 * len(texts) + 3
        assert true <= tokens.most_by(name) <= tokens.upper_bound


@pytest.mark.parametrize("word", ["auto", "additionalProperties", "system"])
def test_words_of_the_api_that_somebody_says_count(vocabularies: Vocabularies, word: str):
    """They are no strings of the view, but a model reads them."""
    parts = [{"type": "text", "text": word}] * 200
    request = request_of({"messages": [{"role": "user", "content": parts}]})

    assert all_counted(request, vocabularies).most_by(O200K) >= 200 * vocabularies[O200K].count(
        word
    )


def test_tools_and_schemas_are_in_the_bound(vocabularies: Vocabularies):
    """Twice their JSON and what vendors add, and a schema once more for its repair."""
    tools = [
        {"type": "function", "function": {"name": f"f{n}", "parameters": {}}} for n in range(9)
    ]
    said = {"messages": [{"role": "user", "content": "hi"}]}
    bare = all_counted(request_of(said), vocabularies)
    tooled = all_counted(request_of({**said, "tools": tools}), vocabularies)
    told = vocabularies[O200K].count(json.dumps(tools))

    assert tooled.expected_by(O200K) >= bare.expected_by(O200K) + told * 0.9
    assert bare.most_by(O200K) + 1.8 * told + 800 <= tooled.most_by(O200K)


def test_an_image_costs_what_it_does_with_the_model(vocabularies: Vocabularies):
    """The dearest formula is for those models that nobody knows it of."""
    request = msgspec.structs.replace(
        request_of({"messages": [{"role": "user", "content": "hi"}]}),
        images=2,
        needs=Needs(vision=True),
    )
    tokens = all_counted(request, vocabularies)

    assert tokens.most_by(O200K) > 2 * DEAREST_IMAGE
    assert 3_000 <= tokens.most_by(O200K, 1_500) < 3_100
    assert 2_000 <= tokens.expected_by(O200K) < 2_100


def test_without_a_vocabulary_the_estimate_stays():
    """Nothing is known of any family then, so what holds for all of them holds."""
    request = request_of({"messages": [{"role": "user", "content": "a" * 100}]})
    tokens = all_counted(request, {})

    assert tokens.families == ()
    assert tokens.most_by("claude") == tokens.upper_bound == request.size + 7


def test_a_file_sent_inline_counts_by_its_bytes(vocabularies: Vocabularies):
    """Nobody knows how many tokens its pages have, but more than its bytes are never billed."""
    data = "data:application/pdf;base64," + "JVBE" * 10_000
    part = {"type": "file", "file": {"filename": "a.pdf", "file_data": data}}
    request = request_of({"messages": [{"role": "user", "content": [part]}]})
    tokens = all_counted(request, vocabularies)

    assert 1_200 <= tokens.expected_by(O200K) < 1_400
    assert len(data) <= tokens.most_by(O200K) <= tokens.upper_bound
