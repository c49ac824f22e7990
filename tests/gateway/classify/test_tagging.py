"""Where the tagger is asked, and what becomes of its answers."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.classifier import Classifier
from gateway.classify.detectors.base import Found
from gateway.classify.tagging import BEFORE, MOST, SHARE, SHORT, numbered, regions
from gateway.core.findings import SensitivityRules
from gateway.core.sensitivity import Sensitivity

NUMBERED = re.compile(r"\b[0-9]{1,5} [A-Z]|\b[A-Z][a-z]{2,}\.? [0-9]\b")
FILLER = "the market moved and nobody could say why it had done so again. " * 40


def _found(classifier: Classifier, rules: SensitivityRules, text: str) -> list[tuple[str, str]]:
    findings = classifier.judge_text(text, rules).findings
    return [(one.type, text[one.start : one.end]) for one in findings]


def test_a_short_text_is_read_whole_if_it_can_hold_something():
    """Digits or a second word with a capital are reason enough."""
    assert regions("ask Jana Novak", (), ()) == [(0, 14)]
    assert regions("number 9", (), ()) == [(0, 8)]
    assert regions("nothing to see here", (), ()) == []
    assert regions('{"alg":"HS256","typ":"JWT"}\n', (), ()) == []
    assert regions("９月号", (), ()) == [(0, 3)]


@given(
    st.lists(
        st.sampled_from(["12 Elm ", "a ", "lives at ", "\n", "9", "Rd. 4 ", "x" * 40]), max_size=30
    ),
    st.lists(st.integers(0, 400), max_size=12),
)
def test_no_sign_with_a_number_near_it_is_passed_over(parts: list[str], places: list[int]):
    """However close together they stand; and none without a digit near it is taken."""
    text = "".join(parts)
    signs = [place for place in places if place <= len(text)]
    near = numbered(text, signs)

    for place in signs:
        low, high = max(0, place - BEFORE), place + BEFORE
        if NUMBERED.search(text, low, high):
            assert place in near
        if not re.search(r"[0-9]", text[low : high + BEFORE]):
            assert place not in near


def test_a_long_text_without_signs_is_not_read():
    """Ordinary long prompts cost nothing more."""
    assert regions(FILLER, (), ()) == []


def test_around_a_sign_only_what_has_digits_is_read():
    """A street without a number near it is no address."""
    text = FILLER + "the road is long. " + FILLER + "12 Elm Road, Leeds. " + FILLER
    signs = [n + 5 for n in range(len(text)) if text[n : n + 5].lower() == " road"]
    read = regions(text, signs, ())

    assert len(signs) == 2
    assert len(read) == 1
    assert "12 Elm Road, Leeds" in text[slice(*read[0])]


def test_names_beside_an_identifier_are_looked_for():
    """Where an identifier stands, the name beside it is worth finding."""
    text = FILLER + "Contact Jana Novak at jana@novak.example.org today. " + FILLER
    at = text.index("jana@")
    read = regions(text, (), [Found("email", at, at + 22)])

    assert len(read) == 1
    assert "Jana Novak" in text[slice(*read[0])]


@settings(deadline=None)
@given(
    text=st.text(st.sampled_from("a 1\nB."), min_size=SHORT + 1, max_size=9_000),
    places=st.lists(st.integers(0, 9_000), max_size=300),
)
def test_what_is_read_is_bounded_ordered_and_inside(text: str, places: list[int]):
    """However many signs there are, regions do not overlap and stay within their share."""
    read = regions(text, [place for place in places if place <= len(text)], ())

    assert sum(end - start for start, end in read) <= MOST + len(text) * SHARE + 1
    assert all(0 <= start <= end <= len(text) for start, end in read)
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(read))


def test_an_address_deep_in_a_long_text_is_found(classifier: Classifier, rules: SensitivityRules):
    """Length does not hide it."""
    text = FILLER + "Write to Vesterbrogade 44, 1620 København V, please. " + FILLER

    assert ("address", "Vesterbrogade 44, 1620 København V") in _found(classifier, rules, text)


def test_a_name_alone_does_not_raise_the_level(classifier: Classifier, rules: SensitivityRules):
    """School maths is full of names."""
    profile = classifier.judge_text("Ingrid Larsen has 12 apples. How many has she left?", rules)

    assert [one.type for one in profile.findings] == ["person"]
    assert profile.sensitivity == rules.default


def test_an_address_raises_the_level(classifier: Classifier, rules: SensitivityRules):
    """Somebody lives there."""
    profile = classifier.judge_text("I need a cab to 21 Calle de Serrano, Madrid", rules)

    assert profile.sensitivity == Sensitivity.CONFIDENTIAL


def test_an_address_does_not_swallow_the_telephone_number(
    classifier: Classifier, rules: SensitivityRules
):
    """What was recognised for something else stays what it is."""
    text = "Mia Berg\nGartenweg 4, 50667 Köln\n+49 221 4710815"
    found = _found(classifier, rules, text)

    assert ("phone", "+49 221 4710815") in found
    assert ("address", "Gartenweg 4, 50667 Köln") in [(kind, at.rstrip()) for kind, at in found]


@pytest.mark.parametrize("public", ["1600 Pennsylvania Avenue", "10 Downing Street"])
def test_seats_of_government_are_no_secret(
    public: str, classifier: Classifier, rules: SensitivityRules
):
    """Everybody knows who lives there."""
    assert classifier.judge_text(f"{public}: what is inside?", rules).sensitivity == rules.default


def test_a_short_message_in_a_long_conversation_is_read(
    classifier: Classifier, rules: SensitivityRules, requests: Any
):
    """What was found in a message is found in it, too, when others follow."""
    profile = classifier.judge(
        requests.of("Please bring it to Via Roma 11, 40121 Bologna", FILLER), rules
    )

    assert [(one.type, one.segment) for one in profile.findings] == [("address", 0)]


def test_an_encoded_address_is_found(classifier: Classifier, rules: SensitivityRules):
    """What is decoded is read as what it says."""
    encoded = b"Ship to Jana Novak, 12 Elm Road, Leeds LS6 2EP".hex()

    assert "address" in [kind for kind, _ in _found(classifier, rules, encoded)]
