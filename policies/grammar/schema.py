"""The file format as JSON Schema, made of the tables that the reader uses."""

from __future__ import annotations

from typing import Any

from policies.grammar.conditions import condition_schema
from policies.grammar.file import POLICY
from policies.grammar.selectors import selector_schema


def json_schema() -> dict[str, Any]:
    """The file format as JSON Schema (2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fairlead policy",
        **POLICY.schema(),
        "$defs": {"condition": condition_schema(), "selector": selector_schema()},
    }
