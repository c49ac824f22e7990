"""The section `never`."""

from __future__ import annotations

from policies.grammar.conditions import ConditionShape
from policies.grammar.selectors import SelectorShape
from policies.grammar.words import ID, PROSE
from policies.model.never import NeverStatement
from policies.shapes import Key, Record

NEVER = Record(
    what="an invariant",
    build=NeverStatement,
    keys={
        "id": Key(ID, "id: a short name that proofs and reports show", required=True),
        "because": Key(PROSE, "the reason, in words for people"),
        "when": Key(ConditionShape(), "the requests that it is about; without it, all"),
        "deployment": Key(
            SelectorShape(),
            "deployment: what these requests must never reach: names, or {zone: us}",
            required=True,
        ),
    },
)
