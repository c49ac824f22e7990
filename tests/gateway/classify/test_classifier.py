"""The profile of whole requests."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.classify.classifier import Classifier, load_classifier
from gateway.classify.detection import Scanner, compile_table
from gateway.classify.detectors import all_detectors
from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.engine import open_engine
from gateway.core.findings import SensitivityRules
from gateway.core.profile import Needs
from gateway.core.sensitivity import Sensitivity

CARD = "4111 1111 1111 1111"
SEEDS = st.sampled_from(
    [
        CARD, "ssn 219-09-9999", "jane.doe@halvorsen.com",
        "password: Dragon_3912", "CONFIDENTIAL\n",
        "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", "DE89370400440532013000", "+1 508-796-8366",
        "NDExMSAxMTExIDExMTEgMTExMSBpcyBteSBjYXJk",
        "&#52;111111111111111", "\u200b", "４１１１", "%34",
        "-----BEGIN PRIVATE KEY-----", "://a:b@", "key=", "one two three four",
        "jane [at] x [dot] org",
        "96.145.44.55", "born 3 May 1980", "\\u0034", "=\n", "'\" + \"'", "\U000e0034", "İ", "Σ",
    ]
)  # fmt: skip
TEXTS = st.lists(SEEDS | st.text(max_size=12), max_size=8).map(" ".join)


def test_levels_follow_the_rules(classifier: Classifier, requests: Any):
    """The policy's own levels decide what a finding means."""
    lax = SensitivityRules(levels={"payment_card": Sensitivity.CONFIDENTIAL})

    assert classifier.judge(requests.of(CARD), lax).sensitivity == Sensitivity.CONFIDENTIAL
    strict = classifier.judge(requests.of(CARD), SensitivityRules())
    assert strict.sensitivity == Sensitivity.RESTRICTED


def test_the_callers_floor_only_raises(
    classifier: Classifier, rules: SensitivityRules, requests: Any
):
    """A declared level raises a harmless request and never lowers a sensitive one."""
    harmless, sensitive = requests.of("hello"), requests.of(CARD)

    raised = classifier.judge(harmless, rules, Sensitivity.CONFIDENTIAL)
    assert raised.sensitivity == Sensitivity.CONFIDENTIAL
    kept = classifier.judge(sensitive, rules, Sensitivity.PUBLIC)
    assert kept.sensitivity == Sensitivity.RESTRICTED


def test_an_item_split_over_two_messages_is_found_in_both(
    classifier: Classifier, rules: SensitivityRules, requests: Any
):
    """A card that is cut in two messages gives a finding in each of them."""
    profile = classifier.judge(requests.of("pay 4111 1111", "1111 1111 with this card"), rules)

    places = [(one.type, one.segment, one.start, one.end) for one in profile.findings]
    assert places == [("payment_card", 0, 4, 13), ("payment_card", 1, 0, 9)]


def test_a_key_labels_its_value(classifier: Classifier, rules: SensitivityRules, requests: Any):
    """The name of a field is context for the string that it holds."""
    request = requests.of("ssn", "219099999", kinds=("key", "text"))
    profile = classifier.judge(request, rules)

    assert [(one.type, one.segment) for one in profile.findings] == [("us_ssn", 1)]


def test_needs_are_carried(classifier: Classifier, rules: SensitivityRules, requests: Any):
    """What the wire saw that the request needs stands in the profile."""
    needs = Needs(vision=True, tools=True)
    request = msgspec.structs.replace(requests.of("hi"), needs=needs)

    assert classifier.judge(request, rules).needs == needs
    assert classifier.judge(request, rules).task == "tool_use"


def _broken(_view: View, _which: int, _start: int, _end: int) -> Found | None:
    raise RuntimeError("boom")


def test_a_broken_detector_is_named_and_restricts(rules: SensitivityRules):
    """When a detector fails, the others still report and the request counts as restricted."""
    broken = Detector(name="broken", anchors=("hello",), look=_broken)
    detectors = (*all_detectors(), broken)
    table = compile_table(detectors)
    scanner = Scanner(detectors, table, open_engine("auto", table.anchors))
    healthy = load_classifier()
    readers = msgspec.structs.replace(healthy._readers, scanner=scanner)
    classifier = Classifier(readers, healthy._cues, healthy._predictor)

    profile = classifier.judge_text("hello jane.doe@halvorsen.com", rules)

    assert profile.failed == ("broken",)
    assert profile.sensitivity == Sensitivity.RESTRICTED
    assert [one.type for one in profile.findings] == ["email"]


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_places_lie_inside_their_strings(
    classifier: Classifier, rules: SensitivityRules, requests: Any, texts: list[str]
):
    """Every finding names a string of the request and a place in it."""
    profile = classifier.judge(requests.of(*texts), rules)

    assert profile.failed == ()
    for one in profile.findings:
        assert 0 <= one.start < one.end <= len(texts[one.segment])


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_detection_alone_finds_what_the_whole_judgement_does(
    classifier: Classifier, rules: SensitivityRules, text: str
):
    """So what is measured of the one is true of the other."""
    found, failed = classifier.detect(text, rules)
    profile = classifier.judge_text(text, rules)

    assert failed == profile.failed
    assert [(one.type, one.start, one.end) for one in found] == [
        (one.type, one.start, one.end) for one in profile.findings
    ]


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
def test_engines_agree(
    classifier: Classifier,
    fallback: Classifier,
    rules: SensitivityRules,
    requests: Any,
    texts: list[str],
):
    """Hyperscan and the fallback give the same profile."""
    request = requests.of(*texts)

    assert classifier.judge(request, rules) == fallback.judge(request, rules)


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=3), more=TEXTS)
def test_more_text_never_lowers_the_level(
    classifier: Classifier, rules: SensitivityRules, requests: Any, texts: list[str], more: str
):
    """Adding a message to a request leaves its level or raises it."""
    before = classifier.judge(requests.of(*texts), rules).sensitivity

    assert classifier.judge(requests.of(*texts, more), rules).sensitivity >= before


@settings(max_examples=200, deadline=None)
@given(text=st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_never_raises(classifier: Classifier, rules: SensitivityRules, text: str):
    """Any string at all, lone surrogates included, gets a profile with no failure."""
    assert classifier.judge_text(text, rules).failed == ()


#: What documents are made of beside single items: prose, records, code, tables, encodings.
PIECES = st.one_of(
    TEXTS,
    st.sampled_from(
        [
            "Discharge summary: troponin raised, stent placed, on ramipril and aspirin.\n",
            "Our client received a subpoena; opposing counsel offers a settlement.\n",
            "| name | card |\n|---|---|\n| Jane | 4111 1111 1111 1111 |\n",
            'def f(key="AKIAIOSFODNN7EXAMPLE"):\n    return {"password": "Dragon_3912"}\n',
            "Bewohner der Gartenweg 4, 50667 Köln", "東京都千代田区丸の内1-1-1",
            "карта 4111 1111 1111 1111",
            "four one one one, one one one one", "moc.nesrovlah@eod.enaj (reversed)", "\r\n\t",
        ]
    ),
    st.dictionaries(st.sampled_from(["ssn", "Straße", "pin", "k"]), TEXTS, max_size=3).map(
        lambda held: json.dumps(held, ensure_ascii=bool(len(held) % 2))
    ),
    TEXTS.map(lambda text: b64encode(text.encode("utf-8", "surrogatepass")).decode()),
    st.integers(1, 60).map(lambda times: "lorem ipsum 4242 dolor " * times),
)  # fmt: skip


@pytest.mark.full
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=st.lists(PIECES, min_size=1, max_size=10).map("".join))
def test_ten_thousand_documents_are_read_alike_by_both_engines(
    classifier: Classifier, fallback: Classifier, rules: SensitivityRules, document: str
):
    """The same findings from Hyperscan and the fallback, no failure, and places in the text."""
    profile = classifier.judge_text(document, rules)

    assert profile == fallback.judge_text(document, rules)
    assert set(profile.failed) <= {"attachment"}
    assert all(0 <= one.start < one.end <= len(document) for one in profile.findings)


def test_an_unknown_engine_is_refused():
    """A wrong engine name is an error that lists the right ones."""
    with pytest.raises(ValueError, match="auto, hyperscan, re2"):
        load_classifier(engine="grep")


@pytest.mark.parametrize(
    "unit",
    [
        "1apassportconfidential ",
        ":secret",
        "key://",
        "1 ",
        "a@",
        "4111 1111 1111 1111 ",
        "%41",
        "a.",
    ],
)
def test_repetition_costs_no_more_than_its_length(
    classifier: Classifier, rules: SensitivityRules, unit: str
):
    """Long repetitions are judged; a pattern that backtracks without bound would never return."""
    assert classifier.judge_text(unit * (30_000 // len(unit)), rules).failed == ()
