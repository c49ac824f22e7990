"""Texts that are scanned in parts."""

from __future__ import annotations

import pytest

from gateway.classify.classifier import Classifier
from gateway.classify.detection import LONG, OVERLAP, PART, joined
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
