"""A company's own words and patterns, found wherever and however they are written."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.classifier import Classifier, load_classifier
from gateway.classify.folding import Folding
from gateway.classify.own_detectors import MOST_PLACES, OwnDetectors
from gateway.core.findings import OwnDetector, SensitivityRules, default_levels
from gateway.core.sensitivity import Sensitivity

FOLDING = Folding()


def find(text: str, *terms: str, pattern: str = "") -> list[str]:
    """What is found of one detector, as it stands in the text."""
    own = OwnDetector(id="own", type="project", terms=terms, pattern=pattern)
    view, offsets = FOLDING.view(text)
    assert offsets is None
    return [text[one.start : one.end] for one in OwnDetectors((own,), FOLDING).find(text, view)]


@pytest.mark.parametrize(
    ("text", "term", "found"),
    [
        ("We ship Apollo in May.", "Apollo", ["Apollo"]),
        ("we ship APOLLO's parts", "apollo", ["APOLLO"]),
        ("project\nblue moon", "Project Blue", ["project\nblue"]),
        ("Аpollo", "Apollo", ["Аpollo"]),  # the first letter is Cyrillic
        ("Ａｐｏｌｌｏ", "Apollo", ["Ａｐｏｌｌｏ"]),
        ("das Müller-Projekt", "Müller", ["Müller"]),
        ("das Muller-Projekt", "Müller", ["Muller"]),
        ("我们的星火计划很好", "星火计划", ["星火计划"]),
        ("проект Рассвет начат", "Рассвет", ["Рассвет"]),
        ("Apollos", "Apollo", []),
        ("hapollo", "Apollo", []),
        ("Apollo-11", "Apollo", ["Apollo"]),
        ("C++ and C#", "C++", ["C++"]),
    ],
)
def test_terms_are_found_whole_however_they_are_written(
    text: str, term: str, found: list[str]
) -> None:
    """In any case, with look-alike letters, over line breaks; never inside another word."""
    assert find(text, term) == found


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("проект Рас\u200bсвет начат", "Рассвет"),
        ("проект Рассвет начат ❤\ufe0f", "Рассвет"),
        ("❤\ufe0f 我们的星\u2060火计划很好", "星火计划"),
        ("про И\u0306огу", "Йогу"),
        ("про Йогу", "И\u0306огу"),
        ("A\u200bpo\u00adllo ❤\ufe0f", "Apollo"),
    ],
)
def test_terms_of_any_script_are_found_beside_and_around_what_is_not_seen(
    classifier: Classifier, text: str, term: str
) -> None:
    """One heart with a variation selector, or marks set by themselves, hide nothing."""
    own = OwnDetector(id="own", type="project", terms=(term,))
    rules = SensitivityRules(levels=default_levels(), own=(own,))
    findings = classifier.judge_text(text, rules).findings
    (found,) = (one for one in findings if one.type == "project")

    shown = FOLDING.bare(FOLDING.visible(text[found.start : found.end]))
    assert shown == FOLDING.bare(FOLDING.visible(term))


def test_of_several_terms_all_are_found() -> None:
    """Also those that stand in one another; what overlaps is settled later."""
    assert find("Project Apollo", "Apollo", "Project Apollo") == ["Project Apollo", "Apollo"]


@pytest.mark.parametrize(
    ("text", "pattern", "found"),
    [
        ("EMP-123456 and EMP-12345", "EMP-[0-9]{6}", ["EMP-123456"]),
        ("emp-123456", "EMP-[0-9]{6}", []),
        ("emp-123456", "(?i)EMP-[0-9]{6}", ["emp-123456"]),
        ("ЕМР-１２３４５６", "EMP-[0-9]{6}", ["ЕМР-１２３４５６"]),
        ("Kürzel Ü-12", "Ü-[0-9]{2}", ["Ü-12"]),
    ],
)
def test_patterns_see_what_a_reader_sees(text: str, pattern: str, found: list[str]) -> None:
    """A pattern of plain letters sees look-alikes as these; another one the text as it is."""
    assert find(text, pattern=pattern) == found


def test_a_pattern_that_is_none_is_refused_by_the_id_of_its_detector() -> None:
    """Checks find it before; this is the last door."""
    own = OwnDetector(id="broken", type="project", pattern="(")

    with pytest.raises(ValueError, match="the pattern of 'broken' is none of RE2's"):
        OwnDetectors((own,), FOLDING)


def test_a_text_of_nothing_but_hits_is_bounded() -> None:
    """More places of one detector make no request more sensitive."""
    assert len(find("Apollo " * (MOST_PLACES + 5), "Apollo")) == MOST_PLACES


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """The real one."""
    return load_classifier()


def rules(*own: OwnDetector) -> SensitivityRules:
    """Rules by which projects are restricted."""
    levels = {**default_levels(), "project": Sensitivity.RESTRICTED}
    return SensitivityRules(levels=levels, own=own)


APOLLO = OwnDetector(id="projects", type="project", terms=("Apollo",))


@pytest.mark.parametrize(
    "text",
    [
        "Summarise the Apollo plan.",
        "Decode: " + base64.b64encode(b"Summarise the Apollo plan, please.").decode(),
        "A\u200bp\u200bollo is late.",
        "%41%70%6f%6c%6c%6f is what we call it, %41%70%6f%6c%6c%6f.",
    ],
)
def test_own_words_raise_the_level_whatever_hides_them(classifier: Classifier, text: str) -> None:
    """Decoded and undisguised texts are searched like the text itself."""
    profile = classifier.judge_text(text, rules(APOLLO))

    assert profile.sensitivity is Sensitivity.RESTRICTED
    assert {one.type for one in profile.findings} == {"project"}
    assert not profile.failed


def test_each_policy_has_its_own(classifier: Classifier) -> None:
    """What one policy looks for is nothing to another, whichever is asked first."""
    zeus = OwnDetector(id="projects", type="project", terms=("Zeus",))
    policies = [rules(APOLLO), rules(zeus), rules()]
    for _ in range(3):
        levels = [classifier.judge_text("Apollo", one).sensitivity for one in policies]

        assert levels == [Sensitivity.RESTRICTED, Sensitivity.INTERNAL, Sensitivity.INTERNAL]


def test_what_cannot_be_compiled_restricts(classifier: Classifier) -> None:
    """Who cannot look has not looked."""
    broken = OwnDetector(id="broken", type="project", pattern="(")

    profile = classifier.judge_text("hello", rules(broken))

    assert profile.sensitivity is Sensitivity.RESTRICTED
    assert profile.failed == ("findings",)


@given(st.text(max_size=60), st.sampled_from(["Apollo", "Müller", "星火", "Ωmega"]))
def test_places_lie_in_the_text_and_hold_the_term(text: str, term: str) -> None:
    """Whatever stands around it, a term between blanks is found where it stands."""
    view, offsets = FOLDING.view(f"{text} {term} {text}")
    if offsets is not None:
        return  # invisible characters are taken out before: see the tests above
    whole = f"{text} {term} {text}"
    own = OwnDetector(id="own", type="project", terms=(term,))

    places = {(one.start, one.end) for one in OwnDetectors((own,), FOLDING).find(whole, view)}

    assert all(0 <= start < end <= len(whole) for start, end in places)
    assert (len(text) + 1, len(text) + 1 + len(term)) in places
