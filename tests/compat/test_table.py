"""The page that is made of runs, and the reports that runs are read from."""

from __future__ import annotations

import json
from datetime import date

import pytest

from ops.compat.clients import BACKS, CLIENTS, Client
from ops.compat.environments import NODE, REQUIREMENTS
from ops.compat.run import SUITES, Case, Run, read_report, versions
from ops.compat.table import page

FIRST = CLIENTS[0]
DAY = date(2026, 11, 23)
PYTEST = """<testsuites><testsuite>
<testcase name="test_a"/>
<testcase name="test_b"><failure message="assert 1 == 2">long</failure></testcase>
<testcase name="test_c"><skipped message="no audio"/></testcase>
<testcase name="test_d"><failure message="first"/><error message="then"/></testcase>
</testsuite></testsuites>"""
NODE_RUNNER = """<testsuites>
<testcase name="generateText" classname="test"/>
<testcase name="tools"><failure type="testCodeFailure" message="no">stack</failure></testcase>
</testsuites>"""


def run(back: str, *cases: Case) -> Run:
    return Run(FIRST.name, back, {FIRST.packages[0]: "1.2.3"}, cases)


def test_a_report_of_pytest_is_read() -> None:
    """Passed, failed and skipped with their reasons."""
    assert read_report(PYTEST) == (
        Case("test_a", "passed"),
        Case("test_b", "failed", "assert 1 == 2"),
        Case("test_c", "not supported", "no audio"),
        Case("test_d", "failed", "then"),
    )


def test_a_report_of_node_is_read() -> None:
    """The same from Node's own runner."""
    assert [case.outcome for case in read_report(NODE_RUNNER)] == ["passed", "failed"]


def test_a_run_survives_being_kept() -> None:
    """Written and read again it is the same."""
    kept = run(BACKS[0], Case("test_a", "failed", "why"))

    assert Run.from_json(kept.to_json()) == kept


def test_the_page_says_what_passed_what_failed_and_what_was_not_run() -> None:
    """Figures for each backend, reasons below, and no blank where nothing was run."""
    skipped = Case("test_c", "not supported", "no audio\nat all")
    made = page(
        [
            run(BACKS[0], Case("test_a", "passed"), skipped),
            run(BACKS[1], Case("test_a", "passed"), Case("test_b", "failed", "a | b"), skipped),
        ],
        DAY,
    )

    assert f"| {FIRST.name} | 1.2.3 | `{FIRST.api}` | 1 of 1 | 1 of 2 **fails** | not run |" in made
    assert f"| {FIRST.name} | `test_b` | `{BACKS[1]}` | a \\| b |" in made
    assert f"| {FIRST.name} | `test_c` | `{BACKS[0]}`, `{BACKS[1]}` | no audio |" in made
    assert "Last run: 2026-11-23." in made


def test_a_page_without_failures_says_so() -> None:
    """The section stays, so that its absence cannot be taken for success."""
    assert "## What failed\n\nNothing." in page([run(BACKS[0], Case("a", "passed"))], DAY)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.slug)
def test_every_client_has_its_suite_and_its_pins(client: Client) -> None:
    """The table of clients names only what is there."""
    assert (SUITES / client.suite).is_file()
    assert all(versions(client).values())


def test_every_package_is_pinned_and_no_address_is_kept() -> None:
    """Requirements hold exact versions; the npm lock has digests and no registry's address."""
    for file in REQUIREMENTS.glob("*.txt"):
        lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        assert all("==" in line and "/" not in line for line in lines), file.name
    lock = json.loads((NODE / "package-lock.json").read_text())
    packages = [entry for name, entry in lock["packages"].items() if name]

    assert packages
    assert all("integrity" in entry and "resolved" not in entry for entry in packages)
