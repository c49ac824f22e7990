"""The golden tables still say what the wires do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.golden.tables import BACKS, FRONTS, Case, read_case, tables

TABLES = tables()


@pytest.mark.parametrize(
    ("path", "table"), TABLES, ids=[f"{path.parent.name}-{path.stem}" for path, _ in TABLES]
)
def test_a_golden_file_is_what_the_wires_make(path: Path, table: Callable[[Case], str]) -> None:
    """Translating the input gives the file's lower part, letter by letter."""
    assert table(read_case(path)) == path.read_text(encoding="utf-8")


def test_every_wire_stands_in_the_tables() -> None:
    """Each front is an input of some case and each back answers in one."""
    asked = {read_case(path).wire for path, _ in TABLES if path.parent.name == "requests"}
    answered = {read_case(path).wire for path, _ in TABLES if path.parent.name == "answers"}

    assert asked == set(FRONTS)
    assert {"openai_chat", "openai_responses", "anthropic_messages", "ollama_chat"} <= answered
    assert answered <= set(BACKS)
