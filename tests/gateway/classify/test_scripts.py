"""Words of other scripts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.offsets import Replacement
from gateway.classify.scripts import Scripts, other_scripts

SCRIPTS = Scripts()
PIECES = st.sampled_from(
    (
        *(
            "пароль",
            "Пароль: ",
            "パスワード：",
            "密码",
            "身份证",
            "四一一一一一",
            "один ",
            "отметка",
            "İ",
        ),
        *("\u202e4321\u202c", "⠼⠁⠃⠉⠙", "Xk9#mQ2vv1", "é", "“", "🙂", " ", "a", "\n"),
    )
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


def replacements(text: str) -> list[Replacement]:
    """What is replaced in a text."""
    return SCRIPTS.replacements(text, other_scripts(text))


@given(TEXTS, TEXTS)
def test_each_line_is_read_by_itself(above: str, below: str):
    """What stands on other lines changes nothing, but where the lines stand."""
    shift = len(above) + 2
    apart = replacements(above) + [
        (start + shift, end + shift, means) for start, end, means in replacements(below)
    ]

    assert replacements(f"{above}|\n{below}") == apart


def test_letters_that_grow_when_they_are_small_do_not_blind():
    """A capital with a dot on one line leaves the words of other lines to be found."""
    assert replacements("İstanbul\nПароль: x") == [(9, 17, " password: ")]


def test_texts_of_one_script_are_left_alone():
    """Accents, quotes and dashes are no other script."""
    assert not len(other_scripts("Grüße – “naïve” café"))


@given(st.text() | st.lists(PIECES, max_size=60).map("".join))
def test_other_scripts_have_code_points_of_their_own(text: str):
    """All but the Latin ones and signs, of which those that turn the direction count."""
    assert other_scripts(text).tolist() == [
        place
        for place, one in enumerate(text)
        if "\u0250" <= one < "\u1e00" or one >= "\u2800" or one in "\u202e\u2067"
    ]
