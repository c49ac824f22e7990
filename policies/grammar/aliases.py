"""The section `aliases`."""

from __future__ import annotations

from policies.grammar.words import PROSE
from policies.model.aliases import AliasStatement
from policies.shapes import Key, Record

ALIAS = Record(
    what="an alias",
    build=AliasStatement,
    keys={"description": Key(PROSE, "what it is for; /v1/models shows it")},
)
