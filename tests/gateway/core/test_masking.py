"""Masking replaces exactly what was found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.findings import Finding
from gateway.core.masking import mask
from gateway.core.request import Segment


def test_each_value_gets_a_typed_placeholder_and_keeps_it() -> None:
    """The same address is the same placeholder everywhere in the request."""
    segments = (
        Segment("write a@b.co and c@d.co", "/messages/0/content"),
        Segment("again a@b.co", "/messages/1/content"),
    )
    findings = [
        Finding(type="email", start=6, end=12),
        Finding(type="email", start=17, end=23),
        Finding(type="email", start=6, end=12, segment=1),
    ]

    assert mask(segments, findings, {"email"}).hidden == {
        "/messages/0/content": "write [EMAIL_1] and [EMAIL_2]",
        "/messages/1/content": "again [EMAIL_1]",
    }


def test_other_types_stay_as_they_are() -> None:
    """Only the types that policy names are hidden."""
    segments = (Segment("a@b.co", "/x"),)

    assert mask(segments, [Finding(type="email", start=0, end=6)], {"phone"}).hidden == {}


def test_a_finding_in_a_key_is_missed_and_said_so() -> None:
    """A key cannot be renamed, so the request must not be sent."""
    found = Finding(type="email", start=0, end=6)

    assert mask((Segment("a@b.co", "/x", kind="key"),), [found], {"email"}).missed == (found,)


@given(
    st.text(min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(1, 40)), max_size=6),
)
def test_no_found_character_survives_where_spans_overlap(
    text: str, spans: list[tuple[int, int]]
) -> None:
    """Property: what lies outside all findings is kept, in order; what lies inside is gone."""
    spans = [(a, min(b, len(text))) for a, b in spans if a < min(b, len(text))]
    findings = [Finding(type="email", start=a, end=b) for a, b in spans]
    hidden = mask((Segment(text, "/x"),), findings, {"email"}).hidden.get("/x", text)
    kept = "".join(c for i, c in enumerate(text) if not any(a <= i < b for a, b in spans))
    for number in range(len(spans), 0, -1):
        hidden = hidden.replace(f"[EMAIL_{number}]", "")

    assert hidden == kept
