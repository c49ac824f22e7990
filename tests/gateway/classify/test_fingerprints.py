"""Passages of registered documents."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.classifier import Classifier, load_classifier
from gateway.classify.fingerprints import (
    GRAM,
    WINDOW,
    Document,
    FingerprintIndex,
    Hasher,
    letters_of,
)
from gateway.core.findings import SensitivityRules
from gateway.core.sensitivity import Sensitivity

WORDS = (
    "the merger with the northern group will close before spring while both boards keep silent "
    "about price shares debt plants staff pensions licences and what happens to the old works"
).split()
HASHER = Hasher(b"a key of this installation")


def _document(seed: int, words: int = 600) -> str:
    draw = random.Random(seed)
    made = [f"{draw.choice(WORDS)}{draw.randint(0, 99) or ''}" for _ in range(words)]
    lines = [" ".join(made[n : n + 12]) for n in range(0, words, 12)]
    return ",\n".join(line.capitalize() for line in lines) + ".\n"


def _index(*texts: str, hasher: Hasher = HASHER) -> FingerprintIndex:
    known = [Document(str(n), f"{n}.txt", hasher.represent(t), 0.0) for n, t in enumerate(texts)]
    return FingerprintIndex(known, hasher)


SECRET = _document(1)
INDEX = _index(_document(2), SECRET)


def test_a_pasted_paragraph_is_found_where_it_stands():
    """Around it is ordinary text."""
    paragraph = SECRET[900:1500]
    text = f"Please shorten this for me:\n{paragraph}\nThanks, and keep it friendly."
    (found,) = INDEX.find(text)

    begin = text.index(paragraph)
    assert found.type == "fingerprint"
    assert begin <= found.start < begin + 2 * WINDOW
    assert begin + len(paragraph) - 2 * WINDOW < found.end <= begin + len(paragraph)


@pytest.mark.parametrize(
    "disguise",
    [
        str.upper,
        lambda text: text.replace("\n", " ").replace(",", ""),
        lambda text: text.replace(" ", "  "),
        lambda text: "> " + text.replace("\n", "\n> "),
    ],
)
def test_layout_and_case_hide_nothing(disguise):
    """Only letters and digits count."""
    assert INDEX.find(disguise(SECRET[300:800]))


@settings(deadline=None, max_examples=60)
@given(start=st.integers(0, 2500), seed=st.integers(3, 10_000))
def test_every_long_enough_passage_is_found(start: int, seed: int):
    """Winnowing guarantees it for `GRAM + 2 * WINDOW` letters, wherever they are taken from."""
    letters, places = letters_of(SECRET)
    begin = min(start, len(letters) - GRAM - 2 * WINDOW - 1)
    passage = SECRET[places[begin] : places[begin + GRAM + 2 * WINDOW]]
    text = f"{_document(seed, 40)} {passage} {_document(seed + 1, 40)}"

    assert INDEX.find(text)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(3, 10_000))
def test_another_document_of_the_same_words_is_not_found(seed: int):
    """What is alike is not the same."""
    assert INDEX.find(_document(seed)) == []


def test_a_repeated_phrase_is_no_passage():
    """One run of letters, however often it stands there, is too little."""
    _, places = letters_of(SECRET)
    run = SECRET[places[100] : places[100 + GRAM]]

    assert INDEX.find(f"{run}. " * 3 + "x" * 400) == []


def test_another_key_recognises_nothing():
    """Hashes alone do not let anybody try texts against them."""
    assert HASHER.represent(SECRET) != Hasher(b"another key").represent(SECRET)


def test_a_short_text_is_not_registered():
    """Less than one run of letters has no hash."""
    assert HASHER.represent("top secret") == b""
    assert _index().find(SECRET) == []


def test_large_texts_are_hashed_in_blocks_without_a_seam():
    """A passage that lies over the border of two blocks is found."""
    filler = "0 1 2 3 4 5 6 7 8 9 " * 6_600
    text = filler[: 2 * 65_536 - 300] + SECRET[300:700] + filler

    assert INDEX.find(text)


@given(st.text(max_size=300))
def test_letters_lie_where_they_say(text: str):
    """Every letter has its place in the text, in order."""
    letters, places = letters_of(text)

    assert len(letters) == len(places)
    assert all(0 <= place < len(text) for place in places)
    assert list(places) == sorted(set(places))


def test_a_passage_raises_the_level(rules: SensitivityRules):
    """Registered documents are looked for, and no longer when they are gone."""
    classifier: Classifier = load_classifier()
    classifier.look_for(INDEX)
    profile = classifier.judge_text(SECRET[200:700], rules)
    encoded = classifier.judge_text(SECRET[200:700].encode().hex(), rules)

    assert [one.type for one in profile.findings] == ["fingerprint"]
    assert profile.sensitivity == encoded.sensitivity == Sensitivity.CONFIDENTIAL
    classifier.look_for(None)
    assert classifier.judge_text(SECRET[200:700], rules).findings == ()
