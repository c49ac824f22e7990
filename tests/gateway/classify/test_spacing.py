"""Runs and groups that are found by the gaps between them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.decoding import GATES, Passage, passages
from gateway.classify.spacing import LARGEST_GROUP, SHORTEST_RUN, long_runs, spacing_of

RUN = re.compile(rf"(?<![A-Za-z0-9+/_\-])[A-Za-z0-9+/_\-]{{{SHORTEST_RUN}}}")
ROW = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{4,16}(?: [A-Za-z0-9+/]{1,16}){4,}+={0,2}")
PIECES = st.sampled_from(
    (
        *("a", "be", "the", "dash", "+", "/", "_", "-", " ", "  ", "\n", ".", "=", "?"),
        *("NDEx", "MTEx", "MQ==", "c2F5IG", "x" * LARGEST_GROUP, "y" * (LARGEST_GROUP + 1)),
    )
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)


@given(TEXTS)
def test_runs_are_those_of_the_pattern(text: str):
    """A run begins after any other sign, and is told once."""
    assert long_runs(text.encode()) == [match.start() for match in RUN.finditer(text)]


@given(st.lists(st.tuples(PIECES, st.sampled_from(["", " ", "  "])), max_size=40))
def test_no_row_of_even_groups_is_missed(parts: list[tuple[str, str]]):
    """Wherever the pattern sees a row that begins with three groups of one size, one is told."""
    text = "".join(piece + gap for piece, gap in parts)
    told = spacing_of(text.encode()).groups
    for row in ROW.finditer(text):
        sizes = [len(group) for group in row.group().split(" ")]
        if sizes[0] == sizes[1] == sizes[2]:
            assert row.start() in told


SECRET = ["NDEx", "MTEx", "MTEx", "MTEx", "MTEx", "MQ=="]
SHORT_WORDS = st.lists(st.sampled_from(["a", "to", "is", "the", ".", "z" * 17]), max_size=6)


@given(SHORT_WORDS, SHORT_WORDS)
def test_groups_are_decoded_where_they_begin_a_row(before: list[str], after: list[str]):
    """Short words and words that are too long for a group do not hide them."""
    text = " ".join([*before, *SECRET])
    found = [one.text for one in decoded(f"{text}\n{' '.join(after)}")]

    assert "4111111111111111" in found


def test_groups_after_another_word_are_taken_for_words():
    """So are four words of one length in a sentence."""
    assert not decoded(" ".join(["that", "word", "stands", *SECRET]))


SINGLES = re.compile(r"(?<![a-z0-9])(?:(?:[a-z0-9@._] ){9}[a-z0-9]|(?:[a-z] ){7}[a-z])", re.I)
HEXADECIMAL = re.compile(
    r"(?:[0-9a-f]{2}[ :\-]){8}[0-9a-f]{2}|(?:[0-9a-f]{4} ){5}[0-9a-f]{4}", re.I
)
IN_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "B", "7", "@", "?", "4e", "0F", "zz", "12ab", "FFff", "word", "abc"]),
        st.integers(1, 11),
        st.sampled_from(["", "\n", "-", " ", "  "]),
    ),
    max_size=8,
).map(lambda rows: "".join(" ".join([word] * times) + gap for word, times, gap in rows))


@given(IN_ROWS)
def test_rows_of_single_characters_are_told(text: str):
    """Where the pattern sees one there is a row, and there is none where it sees nothing."""
    rows = spacing_of(text.encode()).rows.get("spaced_out", [])

    for match in SINGLES.finditer(text):
        assert any(start <= match.start() and match.end() <= end for start, end in rows)
    assert all(SINGLES.search(text, *row) for row in rows)


@given(IN_ROWS, st.sampled_from(": -"), st.integers(0, 30))
def test_rows_of_hexadecimal_digits_open_their_gate(text: str, sign: str, at: int):
    """Those with blanks by the gaps, those with any other sign among them by the engine."""
    text = f"{text[:at]}{text[at:].replace(' ', sign, 5)}"
    rows = spacing_of(text.encode()).rows.get("hex_pairs", [])
    by_engine = re.search(GATES["hex_pairs"], text, re.I) is not None

    assert bool(rows or by_engine) == (HEXADECIMAL.search(text) is not None)


def decoded(text: str) -> list[Passage]:
    """What is read of a text when no gate is open."""
    return list(passages(text, spacing_of(text.encode()), ()))
