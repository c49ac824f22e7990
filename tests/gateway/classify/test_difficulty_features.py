"""What the difficulty model sees of a prompt."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.difficulty_features import BUCKETS, HEAD, SCALARS, TAIL, featurise


def scalar(prompt: str, name: str) -> float:
    return float(featurise(prompt).scalars[SCALARS.index(name)])


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400) | st.text(alphabet="aB3 .\n\ud800é漢", max_size=400))
def test_any_text_has_finite_features_in_range(text: str) -> None:
    """Buckets are distinct and in range, scalars are numbers, and a second look is the same."""
    seen, again = featurise(text), featurise(text)

    assert len(set(seen.buckets.tolist())) == len(seen.buckets)
    assert all(0 <= bucket < BUCKETS for bucket in seen.buckets.tolist())
    assert set(seen.singles.tolist()) <= set(seen.buckets.tolist())
    assert np.isfinite(seen.scalars).all()
    assert seen.buckets.tolist() == again.buckets.tolist()
    assert seen.scalars.tolist() == again.scalars.tolist()


def test_words_are_the_same_wherever_they_stand() -> None:
    """A word has one bucket, whatever its place, case and punctuation; digits are as one."""
    alone = featurise("theorem 17").singles.tolist()

    assert featurise("... THEOREM, 42!").singles.tolist() == alone
    assert set(alone) < set(featurise("the last theorem 99 holds").singles.tolist())
    assert featurise("theorems").singles.tolist() != featurise("theorem").singles.tolist()


def test_pairs_know_their_order() -> None:
    """Two orders of the same words share the words and differ in the pair."""
    one, other = featurise("dog bites"), featurise("bites dog")

    assert one.singles.tolist() == other.singles.tolist()
    assert one.buckets.tolist() != other.buckets.tolist()


def test_other_scripts_are_words_too() -> None:
    """Letters beyond ASCII make words of their own."""
    assert featurise("простое число").singles.tolist() != featurise("").singles.tolist()
    assert len(featurise("простое число").singles) == 2


def test_of_a_long_prompt_both_ends_are_read() -> None:
    """What stands in the middle of a very long prompt is not looked at; both ends are."""
    filler = "lorem ipsum " * (HEAD + TAIL)
    start, middle, end = (
        featurise(text).buckets.tolist()
        for text in (f"theorem {filler}", f"{filler} theorem {filler}", f"{filler} theorem")
    )
    plain = featurise(filler + filler).buckets.tolist()

    assert middle == plain
    assert set(featurise("theorem").singles.tolist()) <= set(start) & set(end)


def test_scalars_say_what_they_are_called() -> None:
    """A few of the scalars, on prompts where they can be counted by eye."""
    assert scalar("a b c", "words") == np.log1p(3)
    assert scalar("1 22 x", "numbers") == np.log1p(2)
    assert scalar("a, b; c", "log_commas") == np.log1p(2)
    assert scalar("is it so? why?", "log_questions") == np.log1p(2)
    assert scalar("short ask\n\nlong rest of it", "ask_length") == np.log1p(9)
    assert scalar("", "length") == 0.0


def test_options_and_tools_are_measured() -> None:
    """Lettered options by their lengths, written-out tools by what they ask for."""
    asked = "Which?\nA. 12\nB. seven\nC. none"
    called = 'Book "two" seats and go\n\nTools: [{"name": "x", "required": ["a", "b"]}]'

    assert scalar(asked, "options") == np.log1p(3)
    assert scalar(asked, "longest_option") == np.log1p(len("seven"))
    assert scalar(asked, "options_with_digits") == np.log1p(1)
    assert scalar(called, "parameters_needed") == np.log1p(2)
    assert scalar(called, "ask_quotes") == np.log1p(2)
    assert scalar(called, "ask_ands") == np.log1p(1)
    assert scalar(asked, "tools_length") == 0.0
