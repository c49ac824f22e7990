"""A replay's outcome as JSON, CSV and a page."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from gateway.core.replaying import Replayed, Side, Tally
from gateway.reports.replay import Heading, as_csv, as_document, as_page, dollars

HEADING = Heading(file="<new>.yaml", revision="abc123")
HOME = Side(destination="house", cost_nanousd=2_000_000_000)
AWAY = Side(destination="frontier", outside=True, cost_nanousd=5_500_000_000)


@pytest.fixture
def tally() -> Tally:
    """Two requests of a team go out, one of another stays; one record could not be told."""
    made = Tally()
    for number, (team, after) in enumerate((("<a>", AWAY), ("<a>", AWAY), ("b", HOME))):
        one = Replayed(request_id=f"r{number}", team=team, model="auto", before=HOME, after=after)
        made.count(one, 1_795_447_800.0 + number)
    made.skip("made before")
    return made


def test_json_has_everything(tally: Tally) -> None:
    """Costs as integers of nano-dollars, with dollars beside them."""
    told = as_document(HEADING, tally)

    assert told["candidate"] == {"file": "<new>.yaml", "revision": "abc123"}
    assert (told["records"], told["total"]["requests"]) == (4, 3)
    assert told["total"]["cost_delta"] == 7_000_000_000
    assert told["total"]["cost_delta_usd"] == "7.000000000"
    assert [(row["team"], row["newly_outside"]) for row in told["rows"]] == [("<a>", 2), ("b", 0)]
    assert [(way["before"], way["after"], way["requests"]) for way in told["ways"]] == [
        ("house", "frontier", 2)
    ]
    assert told["skipped"] == {"made before": 1}
    assert (told["first"], told["last"]) == ("2026-11-23T15:30:00Z", "2026-11-23T15:30:02Z")


def test_csv_has_a_row_for_each_team_and_model(tally: Tally) -> None:
    """Under one header."""
    header, first, second = as_csv(tally)

    assert dict(zip(header, first, strict=True))["newly_outside"] == 2
    assert second[:3] == ["b", "auto", 1]


def test_the_page_is_whole_and_needs_nothing_else(tally: Tally) -> None:
    """Well-formed charts, names escaped, no reference to anywhere."""
    page = as_page(HEADING, tally)
    charts = [part.split("</svg>")[0] + "</svg>" for part in page.split("<svg")[1:]]

    assert "&lt;new&gt;.yaml" in page
    assert "<a>" not in page
    assert "made before" in page
    for chart in charts:
        ElementTree.fromstring("<svg" + chart)
    assert len(charts) == 3
    assert not [word for word in ("http://", "https://", "src=", "href=") if word in
                page.replace('xmlns="http://www.w3.org/2000/svg"', "")]  # fmt: skip


def test_a_page_without_any_decision_is_a_page() -> None:
    """Nothing is divided by nothing."""
    assert "0 decisions" in as_page(HEADING, Tally())


@pytest.mark.parametrize(
    ("nanousd", "told"),
    [(0, "$0.00"), (1_500_000_000_000, "$1,500.00"), (12_345, "$1.234e-05"), (-5 * 10**8, "−$0.5")],
)
def test_money_for_people(nanousd: int, told: str) -> None:
    """Small sums keep their figures."""
    assert dollars(nanousd) == told
