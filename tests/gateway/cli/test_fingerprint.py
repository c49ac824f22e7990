"""`fairlead fingerprint` as a user meets it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from gateway.classify.classifier import load_classifier
from gateway.cli.classify import classify_lines, known_fingerprints
from gateway.cli.fingerprint import app
from gateway.config.settings import load_settings
from gateway.core.findings import SensitivityRules

Run = Callable[..., Any]
TEXT = "The northern works will be closed in spring, and nobody may know of it until then. " * 3


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "merger.txt"
    path.write_text(TEXT)
    return path


def test_a_document_is_added_listed_and_removed(
    run_command: Run, home_client: redis.Redis, paper: Path
):
    """It is known by its name and its id."""
    (added,) = json.loads(run_command(app, "add", str(paper), "--json").stdout)["documents"]
    shown = run_command(app, "list").stdout
    removed = json.loads(run_command(app, "remove", added["id"], "--json").stdout)["documents"]

    assert added["name"] == "merger.txt"
    assert added["hashes"] > 0
    assert "merger.txt" in shown
    assert [one["id"] for one in removed] == [added["id"]]
    assert "No documents" in run_command(app, "list").stdout


def test_classify_finds_what_was_registered(
    run_command: Run, home_client: redis.Redis, paper: Path, home: Path
):
    """The command in the same home looks for the documents."""
    run_command(app, "add", str(paper))
    classifier = load_classifier()
    classifier.look_for(known_fingerprints(load_settings({"FAIRLEAD_HOME": str(home)})))
    line = json.dumps({"id": 1, "text": "shorten: " + TEXT.upper()}).encode()
    answers = io.StringIO()
    classify_lines([line], answers, io.StringIO(), classifier, SensitivityRules())
    answer = json.loads(answers.getvalue())

    assert answer["sensitivity"] == "confidential"
    assert {one["type"] for one in answer["findings"]} == {"fingerprint"}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"short", "too few"),
        (b"\1\0\2", "no text file"),
        (b"PK\3\4 broken", "cannot be read whole"),
        (None, "cannot be read"),
    ],
)
def test_files_without_readable_text_are_refused(
    run_command: Run, tmp_path: Path, raw: bytes | None, said: str
):
    """The whole command fails before anything is kept."""
    path = tmp_path / "paper"
    if raw is not None:
        path.write_bytes(raw)
    result = run_command(app, "add", str(path))

    assert result.exit_code == 2
    assert said in result.stderr


def test_an_office_document_is_registered_by_its_text(
    run_command: Run, home_client: redis.Redis, tmp_path: Path, home: Path
):
    """A paragraph of it is recognised as plain text."""
    packed = tmp_path / "a.odt"
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("mimetype", "")
        made.writestr("content.xml", f"<text:p>{TEXT}</text:p>")
    run_command(app, "add", str(packed))
    index = known_fingerprints(load_settings({"FAIRLEAD_HOME": str(home)}))

    assert index is not None
    assert index.find(TEXT)


def test_an_unknown_document_cannot_be_removed(run_command: Run, home_client: redis.Redis):
    """The sentence says where to look."""
    result = run_command(app, "remove", "nothing")

    assert result.exit_code == 1
    assert "fairlead fingerprint list" in result.stderr
