"""Masking replaces exactly what was found, wherever it stands."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.findings import Finding
from gateway.core.masking import conversation_key, mask
from gateway.core.request import Segment
from gateway.core.restoring import Restoration

KEY = conversation_key(b"secret", "org", "key", "session", "1")
PLACEHOLDER = re.compile(r"\[[A-Z-]+-[A-Z]{6}\]")
TWO = (
    Segment("write a@b.co and c@d.co", "/messages/0/content"),
    Segment("again a@b.co", "/messages/1/content"),
)
FOUND = (
    Finding(type="email", start=6, end=12),
    Finding(type="email", start=17, end=23),
    Finding(type="email", start=6, end=12, segment=1),
)
FOUND_ALONE = Finding(type="email", start=0, end=6)


def test_each_value_gets_a_typed_placeholder_and_keeps_it() -> None:
    """The same address is the same placeholder everywhere in the request."""
    hidden = mask(TWO, FOUND, {"email"}, KEY).hidden
    first, second = PLACEHOLDER.findall(hidden["/messages/0/content"])

    assert first.startswith("[EMAIL-")
    assert first != second
    assert hidden["/messages/0/content"] == f"write {first} and {second}"
    assert hidden["/messages/1/content"] == f"again {first}"


def test_what_is_hidden_can_be_put_back() -> None:
    masked = mask(TWO, FOUND, {"email"}, KEY)
    restoration = Restoration(masked.values)

    assert {restoration.whole(text) for text in masked.hidden.values()} == {
        segment.text for segment in TWO
    }


def test_a_value_has_one_placeholder_in_a_conversation_and_another_in_others() -> None:
    other = conversation_key(b"secret", "org", "key", "session", "2")
    again = mask(TWO[1:], [Finding(type="email", start=6, end=12)], {"email"}, KEY)

    assert set(again.values) <= set(mask(TWO, FOUND, {"email"}, KEY).values)
    assert not set(again.values) & set(mask(TWO, FOUND, {"email"}, other).values)


def test_parts_of_a_key_are_kept_apart() -> None:
    """No caller can be taken for another by shifting letters from one name to the next."""
    assert conversation_key(b"s", "ab", "c") != conversation_key(b"s", "a", "bc")


def test_a_value_is_hidden_where_no_detector_saw_it() -> None:
    """As a whole word only, and not where it is part of another."""
    segments = (Segment("id 48112 (staff)", "/a"), Segment("48112, 148112 and 48112", "/b"))
    masked = mask(segments, [Finding(type="national_id", start=3, end=8)], {"national_id"}, KEY)
    (placeholder,) = masked.values

    assert masked.hidden["/b"] == f"{placeholder}, 148112 and {placeholder}"


def test_a_short_value_is_hidden_only_where_it_was_found() -> None:
    """Else every "Li" in a text would be a person."""
    segments = (Segment("Li wrote", "/a"), Segment("Li battery", "/b"))
    masked = mask(segments, [Finding(type="person", start=0, end=2)], {"person"}, KEY)

    assert set(masked.hidden) == {"/a"}


def test_no_placeholder_is_a_text_that_is_there_already() -> None:
    """Whoever wrote one into the request gets it back as it was."""
    (usual,) = mask(TWO[1:], [Finding(type="email", start=6, end=12)], {"email"}, KEY).values
    segments = (*TWO[1:], Segment(f"what is {usual.lower()}?", "/messages/2/content"))
    masked = mask(segments, [Finding(type="email", start=6, end=12)], {"email"}, KEY)

    assert usual not in masked.values
    assert set(masked.hidden) == {"/messages/1/content"}


def test_where_policy_wants_it_a_fake_stands_for_a_value() -> None:
    """It is kept like a placeholder, put back like one, and other types keep theirs."""
    text = "mail a@b.co or Ada"
    found = [Finding(type="email", start=5, end=11), Finding(type="person", start=15, end=18)]
    masked = mask((Segment(text, "/x"),), found, {"email", "person"}, KEY, {"email", "person"})
    again = mask((Segment("a@b.co", "/y"),), [FOUND_ALONE], {"email"}, KEY, {"email"})

    assert re.fullmatch(
        r"mail [a-z.]+@example\.invalid or \[PERSON-[A-Z]{6}\]", masked.hidden["/x"]
    )
    assert set(again.values) <= set(masked.values)
    assert Restoration(masked.values).whole(masked.hidden["/x"]) == text


def test_a_fake_is_no_text_that_is_there_already() -> None:
    """Whoever writes a fake into the request gets it back as it was."""
    alone = Segment("a@b.co", "/x")
    (usual,) = mask((alone,), [FOUND_ALONE], {"email"}, KEY, {"email"}).values
    segments = (alone, Segment(f"who is {usual.upper()}?", "/y"))
    masked = mask(segments, [FOUND_ALONE], {"email"}, KEY, {"email"})

    assert usual not in masked.values
    assert set(masked.hidden) == {"/x"}


def test_when_no_fake_is_free_values_get_placeholders() -> None:
    """A small range runs out, and no two values ever share what stands for them."""
    texts = [f"00:16:3E:00:{number // 256:02X}:{number % 256:02X}" for number in range(400)]
    segments = tuple(Segment(text, f"/{number}") for number, text in enumerate(texts))
    found = [Finding(type="mac_address", start=0, end=17, segment=at) for at in range(400)]
    masked = mask(segments, found, {"mac_address"}, KEY, {"mac_address"})
    restoration = Restoration(masked.values)
    hidden = [masked.hidden[segment.pointer] for segment in segments]

    assert len(set(hidden)) == 400
    assert {one[0] for one in hidden} == {"0", "["}
    assert [restoration.whole(one) for one in hidden] == texts


def test_places_tell_where_placeholders_stand() -> None:
    masked = mask(TWO, FOUND, {"email"}, KEY)
    texts = [masked.hidden[segment.pointer] for segment in TWO]

    for index, places in masked.places.items():
        assert all(texts[index][start:end] in masked.values for start, end in places)
    assert [len(places) for places in masked.places.values()] == [2, 1]


def test_other_types_stay_as_they_are() -> None:
    """Only the types that policy names are hidden."""
    segments = (Segment("a@b.co", "/x"),)

    assert mask(segments, [Finding(type="email", start=0, end=6)], {"phone"}, KEY).hidden == {}


def test_a_finding_in_a_key_is_missed_and_said_so() -> None:
    """A key cannot be renamed, so the request must not be sent."""
    found = Finding(type="email", start=0, end=6)
    segments = (Segment("a@b.co", "/x", kind="key"),)

    assert mask(segments, [found], {"email"}, KEY).missed == (found,)


@given(
    st.text(min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(1, 40)), max_size=6),
)
def test_masking_and_restoring_is_the_identity(text: str, spans: list[tuple[int, int]]) -> None:
    """Property: for any text and any findings, however they overlap; and what was found is gone."""
    spans = [(a, min(b, len(text))) for a, b in spans if a < min(b, len(text))]
    findings = [Finding(type="email", start=a, end=b) for a, b in spans]
    masked = mask((Segment(text, "/x"),), findings, {"email"}, KEY)
    hidden = masked.hidden.get("/x", text)
    kept = "".join(c for i, c in enumerate(text) if not any(a <= i < b for a, b in spans))

    assert Restoration(masked.values).whole(hidden) == text
    for placeholder in masked.values:
        hidden = hidden.replace(placeholder, "")
    assert len(hidden) <= len(kept)
