"""What the tagger sees of a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.tagger_tokens import BUCKETS, FEATURES, features, rows_of, tokens_of


def test_words_numbers_and_marks_are_tokens():
    """A house number with its letter is one token, a line break another, blanks are none."""
    tokens = tokens_of("12b O'Neill St.,\n\nKöln")

    assert [one.text for one in tokens] == ["12b", "O'Neill", "St", ".", ",", "\n\n", "Köln"]
    assert [one.gap for one in tokens] == [False, True, True, False, False, False, False]


@given(st.text(max_size=80))
def test_tokens_lie_where_they_say(text: str):
    """Every token is the text at its place, and has the same number of features."""
    tokens = tokens_of(text)

    assert all(text[one.start : one.end] == one.text for one in tokens)
    for one in tokens:
        row = features(one)
        assert len(row) == FEATURES
        assert all(0 <= bucket < BUCKETS for bucket in row)


def test_the_same_word_has_the_same_features():
    """Rows of a text are those of its tokens one by one."""
    tokens = tokens_of("Main Street and Main Square, 12 and 13")

    assert rows_of(tokens) == [features(one) for one in tokens]


def test_numbers_of_one_length_and_beginning_are_alike():
    """What is learned about house numbers holds for all of them; long codes are one kind."""
    seen = {number: features(tokens_of(number)[0]) for number in ("4711", "4799", "3999")}
    codes = [features(tokens_of(code)[0]) for code in ("ff06f7dd6ea5", "0e50be82519c73aa")]

    assert seen["4711"] == seen["4799"] != seen["3999"]
    assert codes[0] == codes[1]
