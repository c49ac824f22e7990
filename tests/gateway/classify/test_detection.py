"""Texts that are scanned in parts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.classifier import Classifier
from gateway.classify.detection import (
    LONG,
    OVERLAP,
    PART,
    SEAM,
    Scanner,
    compile_table,
    joined,
)
from gateway.classify.detectors import all_detectors
from gateway.classify.detectors.base import View, number_runs
from gateway.classify.disguises import DISGUISES
from gateway.classify.engine import open_engine
from gateway.core.findings import SensitivityRules

LINE = "the harbour was quiet and the boats lay still in the early light of that day\n"
HIDDEN = {
    "plain": "card 4111 1111 1111 1111",
    "in groups": "NDEx MTEx MTEx MTEx MTEx MQ==",
    "look-alike letters": "card 4lll 1111 1111 I1I1",
    "words": "card four one one one one one one one one one one one one one one one",
    "a table": "name,ssn,city\nJane,219-09-9999,Leeds\n",
    "escapes": "card \\x34" + "\\x31" * 15,
}


@pytest.mark.parametrize("item", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("shift", [-40, -1, 0, 1, OVERLAP - 20, PART // 2])
def test_what_is_hidden_at_the_seam_of_two_parts_is_found(
    item: str, shift: int, classifier: Classifier, fallback: Classifier, rules: SensitivityRules
):
    """Wherever it stands in a long text, and by both engines alike."""
    filler = LINE * (3 * PART // len(LINE))
    place = 2 * PART + shift
    text = f"{filler[:place]}\n{item}\n{filler}"
    profile = classifier.judge_text(text, rules)

    assert len(text) > LONG
    assert {one.type for one in profile.findings} & {"payment_card", "us_ssn"}
    assert all(one.start >= place - 20 for one in profile.findings)
    assert fallback.judge_text(text, rules).findings == profile.findings


def test_areas_that_touch_are_one():
    """They come in order and apart."""
    assert joined([(5, 9), (0, 3), (2, 5), (20, 30)]) == ((0, 9), (20, 30))


def test_nothing_that_is_looked_for_is_longer_than_a_seam():
    """So whatever stands at a seam lies whole in one of the two parts."""
    for anchor in compile_table(all_detectors()).anchors:
        _, longest = re._parser.parse(anchor.pattern).getwidth()  # type: ignore[attr-defined]

        assert longest < SEAM, anchor.pattern


TABLE = compile_table(all_detectors())
#: What of an anchor is a word and not a class of characters.
LABELS = {re.sub(r"\[[^\]]*\]|\\.", "", anchor.pattern) for anchor in TABLE.anchors}


@pytest.mark.parametrize("engine", ["hyperscan", "re2"])
def test_a_text_that_ends_in_a_label_blinds_no_detector(engine: str):
    """Nothing comes after the word, not even a line break, so there is nothing to be read."""
    scanner = Scanner(all_detectors(), TABLE, open_engine(engine, TABLE.anchors))
    for label in sorted(LABELS):
        for text in (label, f"my {label}", f"the card 4111 1111 1111 1111 and my {label}"):
            assert scanner.scan(View(text, text.lower())).failed == (), text


GATES_ALONE = compile_table(())
GATEKEEPER = Scanner((), GATES_ALONE, open_engine("re2", GATES_ALONE.anchors))
NUMBERS = st.sampled_from(
    ["12", "4111 1111 ", "7" * 300, "1-", "20:15 ", "x", "\n", LINE, LINE * 9]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(NUMBERS, min_size=8, max_size=30).map("".join))
def test_no_number_is_cut_or_missed_in_a_long_text(text: str):
    """Those in the parts whose gate opened are those of the whole text."""
    text += LINE * (LONG // len(LINE))
    view = View(text, text)
    areas = GATEKEEPER.scan(view).areas.get("number", ())

    assert list(number_runs(view, areas)) == list(number_runs(view))


TABLES = [
    "4111</td><td>1111",
    "4111</th> \n <th class='x'>1111",
    "4{,}111",
    "4\\,111",
    "4\\ 111",
    "4\\;1",
]


@pytest.mark.parametrize("text", TABLES)
def test_a_gate_opens_wherever_its_shape_occurs(text: str):
    """The gate for cells asks for no less than the shape has."""
    [cells] = [disguise for disguise in DISGUISES if disguise.name == "cells"]

    assert cells.shape.search(text) is not None
    assert any(re.search(gate, text) for gate in cells.gates())


@given(st.text("<{\\}>/tdh ,;!0123456789\n", max_size=30))
def test_cells_are_never_hidden_by_their_gate(text: str):
    """Whatever stands around them."""
    [cells] = [disguise for disguise in DISGUISES if disguise.name == "cells"]
    if cells.shape.search(text) is not None:
        assert any(re.search(gate, text) for gate in cells.gates())
