"""The made-up texts that the tagger learns from."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TRAINING = Path(__file__).parents[3] / "ops" / "training"
sys.path.insert(0, str(TRAINING))
try:
    from tagger_samples import SampleMaker, peopled, shuffled
    from tagger_words import Words
finally:
    sys.path.remove(str(TRAINING))


@pytest.fixture(scope="module")
def maker() -> SampleMaker:
    return SampleMaker(Words(7, each=4))


def test_spans_stand_where_the_words_are(maker: SampleMaker):
    """Whatever was done to a text, its spans begin and end at something that can be seen."""
    for sample in shuffled(maker, 400):
        assert "{" not in sample.text.replace('{"', "").replace('{\\"', "") or "body" in sample.text
        last = 0
        for start, end, kind in sample.spans:
            shown = sample.text[start:end]
            assert kind in ("address", "person")
            assert last <= start < end <= len(sample.text)
            assert shown == shown.strip(), shown
            last = end


def test_every_template_can_be_filled(maker: SampleMaker):
    """No template names a gap that nobody fills."""
    for template in maker.templates:
        assert maker._filled(template).text


def test_names_are_put_into_ordinary_text(maker: SampleMaker):
    """Where it said "he", somebody is named, and the rest stays."""
    samples = [peopled(maker, "Yesterday he paid the company.") for _ in range(20)]
    named = [sample for sample in samples if sample is not None]

    assert named
    for sample in named:
        [(start, end, kind)] = sample.spans
        assert kind == "person"
        assert sample.text[:start] == "Yesterday "
        assert sample.text[end:].startswith(" paid ")
