"""What is counted of findings in labelled texts."""

from __future__ import annotations

import pytest

from gateway.core.findings import Finding
from gateway.reports.privacy_figures import Label, Labelled, Share, Tally, covered, group_of


def _text(*spans: tuple[int, int, str], source: str = "synth", tier: int = 2) -> Labelled:
    return Labelled(
        id="1", source=source, text="x" * 40, tier=tier, spans=tuple(Label(*one) for one in spans)
    )


def _found(start: int, end: int, kind: str) -> Finding:
    return Finding(type=kind, start=start, end=end)


@pytest.mark.parametrize(
    ("text", "group"),
    [
        (_text((0, 5, "ADDRESS"), (9, 12, "PERSON")), "addresses alone"),
        (_text((0, 5, "ADDRESS"), (9, 12, "EMAIL")), "personal"),
        (_text((0, 5, "SECRET"), (9, 12, "IP")), "secrets"),
        (_text((0, 5, "password"), (9, 12, "phone")), "personal"),
        (_text((0, 5, "CONFIDENTIAL_MARKER")), "markings"),
        (_text((0, 5, "PERSON"), tier=1), "names and places only"),
        (_text(source="neg_mmlu", tier=0), "ordinary"),
        (_text(source="neg_lookalike", tier=0), "look-alikes"),
        (_text((0, 5, "EMAIL"), source="presidio_unit"), "bare values"),
        (_text(tier=0), None),
    ],
)
def test_a_text_counts_for_what_it_holds(text: Labelled, group: str | None):
    """Types are known by our names and by those of evaluation sets."""
    assert group_of(text) == group


def test_shares_are_of_requests():
    """A request with one finding that raises its level is found, whatever else it holds."""
    tally = Tally()

    assert tally.add(_text((0, 5, "EMAIL"), (9, 12, "PHONE")), [_found(0, 5, "email")])
    assert not tally.add(_text((0, 5, "EMAIL")), [_found(0, 5, "person")])
    assert not tally.add(_text(source="neg_mmlu", tier=0), [_found(0, 5, "phone")])
    assert tally.add(_text(source="neg_mmlu", tier=0), [_found(0, 5, "person")])
    figures = tally.figures()
    assert figures.shares == {"personal": Share(1, 2), "ordinary": Share(1, 2)}
    assert figures.shares["personal"].percent == 50.0


def test_types_have_recall_and_precision():
    """Half of a label must be covered by findings that mean the same."""
    tally = Tally()
    tally.add(
        _text((0, 10, "SECRET"), (20, 30, "SSN")),
        [_found(0, 5, "password"), _found(20, 24, "us_ssn"), _found(32, 38, "email")],
    )
    types = tally.figures().types

    assert (types["credential"].labelled, types["credential"].recall) == (1, 1.0)
    assert types["us_ssn"].recall == 0.0
    assert types["us_ssn"].precision == 1.0


def test_names_are_measured_where_all_are_labelled():
    """F1 joins recall and precision, and says nothing about sets that label no names."""
    tally = Tally()
    tally.add(_text((0, 5, "PERSON"), (9, 14, "PERSON"), tier=1), [_found(0, 5, "person")])
    tally.add(_text((0, 5, "PERSON"), source="needle", tier=1), [_found(7, 9, "person")])

    assert tally.figures().person_f1 == pytest.approx(2 / 3)


def test_evasions_are_counted_by_technique():
    """A hidden item is caught where it is; a control must stay unflagged."""
    tally = Tally()
    hidden = Labelled("1", "e", "x" * 20, (Label(4, 8, "EMAIL"),), technique="leet")
    control = Labelled("2", "e", "x" * 20, kind="control_neg", technique="leet")

    assert tally.add(hidden, [_found(4, 8, "email")])
    assert not tally.add(hidden, [_found(10, 14, "email")])
    assert tally.add(control, [])
    figures = tally.figures()
    assert figures.evasions == {"leet": Share(1, 2)}
    assert figures.shares["evasion controls"] == Share(0, 1)


def test_covered_counts_characters_once():
    """Findings that overlap do not cover a label twice."""
    findings = [_found(0, 4, "email"), _found(2, 5, "email"), _found(30, 40, "email")]

    assert covered(Label(0, 10, "email"), findings) == 0.5
