"""`fairlead privacy bench` over labelled texts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.privacy import app

ROWS = [
    {"id": "a", "source": "own", "tier": 2, "text": "card 4111 1111 1111 1111, ok?",
     "spans": [{"start": 5, "end": 24, "type": "CREDIT_CARD"}]},
    {"id": "b", "source": "own", "tier": 2, "text": "nothing that anyone could find",
     "spans": [{"start": 0, "end": 7, "type": "EMAIL"}]},
    {"id": "c", "source": "neg_own", "tier": 0, "text": "how many apples are left?"},
    {"id": "d", "source": "evasions", "technique": "zero_width", "kind": "evasion",
     "text": "card 4\u200d1\u200d11 1111 1111 1111", "spans": []},
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [json.dumps(row) + "\n" for row in ROWS]
    (tmp_path / "hidden.jsonl").write_text(lines[3])
    with gzip.open(tmp_path / "own.jsonl.gz", "wt") as file:
        file.writelines(lines[:3])
    return tmp_path


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["bench", *arguments])


def test_figures_come_as_json(folder: Path):
    """Shares with what has to be reached, types, evasions, and which shares fall short."""
    result = _run(str(folder), "--no-timing", "--json")
    told = json.loads(result.stdout)

    assert result.exit_code == 0
    assert told["requests"]["personal"]["hit"] == 1
    assert told["requests"]["personal"]["percent"] == 50.0
    assert told["requests"]["ordinary"] | {"at_least": None} == told["requests"]["ordinary"]
    assert told["types"]["payment_card"] == {"labelled": 1, "recall": 1.0, "precision": None}
    assert told["evasions"] == {"zero_width": "1/1"}
    assert told["below"] == ["personal"]


def test_a_share_that_is_not_reached_fails_the_check(folder: Path):
    """With `--check` the exit status says whether everything was reached."""
    assert _run(str(folder), "--no-timing", "--check").exit_code == 1
    assert _run(str(folder / "hidden.jsonl"), "--no-timing", "--check").exit_code == 0


def test_people_see_a_table(folder: Path):
    """The same figures, in words."""
    shown = _run(str(folder), "--no-timing").stdout

    assert "payment_card" in shown
    assert "personal" in shown
    assert "evasions: zero_width 1/1" in shown


def test_wrong_texts_are_named(folder: Path, tmp_path: Path):
    """Which texts were judged wrongly can be looked up by their ids."""
    _run(str(folder), "--no-timing", "--wrong", str(tmp_path / "wrong"))

    assert (tmp_path / "wrong").read_text() == "b\n"


def test_attacks_beside_the_texts_are_timed(folder: Path):
    """Strings that slow pattern matchers down are measured where there are some."""
    (folder / "latency_attacks.json").write_text('[{"name": "digits", "unit": "7"}]')
    told = json.loads(_run(str(folder), "--json").stdout)

    assert set(told["cpu_ms"]) == {"8 kB of attacks"}
    assert told["cpu_ms"]["8 kB of attacks"]["p50"] > 0


def test_detection_is_timed_apart_from_the_whole_judgement(folder: Path):
    """What finding alone costs stands beside what it costs with difficulty, task and tokens."""
    row = {"id": "long", "source": "neg_long", "text": "The weather is fine. " * 120}
    (folder / "long.jsonl").write_text(json.dumps(row))
    told = json.loads(_run(str(folder), "--json").stdout)

    assert set(told["cpu_ms"]) == {"2 kB, detection", "2 kB, whole judgement"}


@pytest.mark.parametrize("written", ["", "{", '{"id": 1}'])
def test_what_is_no_labelled_text_is_refused(written: str, tmp_path: Path):
    """A file without rows, or with a row of another kind, is a wrong call."""
    (tmp_path / "bad.jsonl").write_text(written)
    result = _run(str(tmp_path / "bad.jsonl"))

    assert result.exit_code == 2
    assert "bad.jsonl" in result.stderr
