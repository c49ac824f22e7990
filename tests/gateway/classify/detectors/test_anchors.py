"""Anchors that ask for more than one sign, so that they fire seldom."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.detection import Scanner, compile_table
from gateway.classify.detectors import email, iban, ip_address, mac_address
from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.engine import open_engine

ANY = r"[\x00-\x7f]"
#: The detectors, and anchors that fire at every place where theirs do, and at many more.
WIDER = {
    "email": (email.DETECTOR, (rf"{ANY}@{ANY}",)),
    "iban": (
        iban.DETECTOR,
        (
            r"[^a-z0-9][a-z]{2}[0-9]{2}",
            r"[^a-z0-9][a-z]{2}[ \-][0-9]{2}",
            r"[^a-z0-9][a-z] [a-z] [0-9] [0-9]",
        ),
    ),
    "ip_address": (
        ip_address.DETECTOR,
        (r"[0-9]\.[0-9]", ANY, ANY, *ip_address.DETECTOR.anchors[3:]),
    ),
    "mac_address": (
        mac_address.DETECTOR,
        (rf"{ANY}[0-9a-f]{{2}}[:\-][0-9a-f]{{2}}", rf"{ANY}[0-9a-f]{{4}}\.[0-9a-f]{{4}}"),
    ),
}
PIECES = st.sampled_from(
    (
        *("@", "a", "b.co", "jane.doe", "@halvorsen.com", "-", "?", "ip ", "host ", "version "),
        *("8.8.4.4", "123.145.144.155", ".", "1", "17", "203", "::1", "2a02:ff0:", "x"),
        *("1d:2b:a1:33:be:74", "1d-2b", ":", "a1:", "0011.2233.4455", "DE89", "DE 89", "d e 8 9"),
        *("370400440532013000", "3704 0044 0532 0130 00", "NL41 HAHN 3468 7415 11", " ", "\n", "_"),
    )
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)


def scanner(detector: Detector, anchors: Sequence[str]) -> Scanner:
    chosen = (msgspec.structs.replace(detector, anchors=tuple(anchors)),)
    table = compile_table(chosen)
    return Scanner(chosen, table, open_engine("re2", table.anchors))


PAIRS = {
    name: (scanner(detector, detector.anchors), scanner(detector, wider))
    for name, (detector, wider) in WIDER.items()
}


def places(found: Sequence[Found]) -> set[tuple[int, int]]:
    return {(one.start, one.end) for one in found}


@pytest.mark.parametrize("name", WIDER)
@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_anchors_hide_nothing(name: str, text: str):
    """What is found from anchors that fire anywhere is found from the detector's own."""
    own, wider = PAIRS[name]
    view = View(text, text.lower())

    assert places(own.scan(view).found) == places(wider.scan(view).found)
