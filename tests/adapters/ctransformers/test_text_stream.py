"""Only whole characters are shown, and stop strings never."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from adapters.ctransformers.text_stream import TextStream


def fed(pieces: list[bytes], stop: tuple[str, ...] = ()) -> tuple[list[str], bool]:
    """What is shown for these pieces, and whether a stop string was met."""
    stream = TextStream(stop)
    shown = [stream.feed(piece) for piece in pieces]
    return [*shown, stream.finish()], stream.stopped


def cut(body: bytes, places: list[int]) -> list[bytes]:
    """The bytes cut at these places."""
    ends = sorted({place % (len(body) + 1) for place in places} | {0, len(body)})
    return [body[a:b] for a, b in itertools.pairwise(ends)]


@given(st.text(st.characters(codec="utf-8")), st.lists(st.integers(0, 99)))
def test_text_cut_anywhere_comes_out_whole(text: str, places: list[int]) -> None:
    """Characters that were cut are held back until they are complete."""
    shown, stopped = fed(cut(text.encode(), places))

    assert "".join(shown) == text
    assert not stopped


@given(
    st.text("ab", max_size=30),
    st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=3),
    st.lists(st.integers(0, 40)),
)
def test_a_stop_string_cuts_the_text_before_its_first_place(
    text: str, stops: list[str], places: list[int]
) -> None:
    """Wherever tokens end, the text up to the stop string is shown."""
    found = [at for stop in stops if (at := text.find(stop)) >= 0]

    shown, stopped = fed(cut(text.encode(), places), tuple(stops))

    assert stopped == bool(found)
    if not found:
        assert "".join(shown) == text
    else:
        assert text.startswith("".join(shown))
        assert not any(stop in "".join(shown) for stop in stops)


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    """A model may emit anything; the answer stays valid Unicode."""
    assert "".join(fed([b"a\xff", b"\xe2\x82", b"b\xf0"])[0]) == "a\ufffd\ufffdb\ufffd"


def test_what_may_become_a_stop_string_is_shown_once_it_cannot() -> None:
    """Held text is released with the byte that decides."""
    assert fed([b"x<", b"|", b"y"], ("<|z",))[0] == ["x", "", "<|y", ""]
