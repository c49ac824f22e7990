"""The features of a prompt, packed: enough to learn from, and not the prompt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.classify.cues import CueReader, load_cues
from gateway.classify.difficulty import Predictor, load_shipped
from gateway.classify.difficulty_calibration import (
    calibrate,
    calibrate_features,
    learn_from_features,
)
from gateway.classify.difficulty_kept import (
    OtherFeatures,
    features_of,
    pack_features,
    unpack_features,
)
from tests.gateway.classify.test_difficulty_calibration import made


@pytest.fixture(scope="module")
def cues() -> CueReader:
    return load_cues()


@settings(max_examples=60, deadline=None)
@given(prompt=st.text(max_size=3000))
@example(prompt="Prove which of these is true.\nA. one\nB. two\nC. three")
def test_features_come_back_as_they_were(cues: CueReader, prompt: str) -> None:
    """Any text: the very same numbers, and a model judges by them as by the prompt."""
    size = len(prompt.encode("utf-8", "replace"))
    found = cues.read(prompt)
    features = features_of(prompt, size, found)
    again = unpack_features(pack_features(features))
    predictor = Predictor(load_shipped())

    assert np.array_equal(again.dense, features.dense)
    assert np.array_equal(again.seen.buckets, features.seen.buckets)
    assert np.array_equal(again.seen.singles, features.seen.singles)
    assert np.array_equal(again.seen.scalars, features.seen.scalars)
    judged = predictor.assess_features(again.seen, again.dense, again.tools)
    assert judged == predictor.assess(prompt, size, found)


def test_no_word_of_the_prompt_is_in_them(cues: CueReader) -> None:
    """Neither as it was written nor folded."""
    features = features_of("Ask the Marimbaphonist", 22, cues.read("Ask the Marimbaphonist"))

    assert b"arimba" not in pack_features(features)
    assert b"arimba" not in repr(unpack_features(pack_features(features)).seen.buckets).encode()


@pytest.mark.parametrize("raw", [b"", b"abc", pack_features.__name__.encode()])
def test_what_is_no_features_is_told(raw: bytes) -> None:
    """Bytes of another kind or version are an error of their own."""
    with pytest.raises(OtherFeatures):
        unpack_features(raw)


def test_tools_come_back_too(cues: CueReader) -> None:
    """As numbers, and a model judges by them as by the request."""
    stated = b'[{"name": "marimba", "input_schema": {"properties": {"key": {"type": "string"}}}}]'
    prompt = "Play the song that I like best, please, and then the one that you like best."
    found = cues.read(prompt)
    raw = pack_features(features_of(prompt, 300, found, stated))
    again, predictor = unpack_features(raw), Predictor(load_shipped())

    assert again.tools.any()
    assert b"arimba" not in raw
    judged = predictor.assess_features(again.seen, again.dense, again.tools)
    assert judged == predictor.assess(prompt, 300, found, stated)


def test_calibrating_from_features_gives_the_very_same_model(cues: CueReader) -> None:
    """Whoever kept no prompt learns as much as who kept them all."""
    pairs = made(120)
    rows = []
    for one in pairs:
        features = features_of(one.prompt, len(one.prompt.encode()), cues.read(one.prompt))
        rows.append((unpack_features(pack_features(features)), one.weak_score, one.strong_score))

    assert calibrate_features(learn_from_features(rows), load_shipped()) == calibrate(
        pairs, cues, load_shipped()
    )
