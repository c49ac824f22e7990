"""The section `routes`."""

from __future__ import annotations

from policies.grammar.conditions import ConditionShape
from policies.grammar.endpoints import HeadersShape
from policies.grammar.shadow import ShadowShape
from policies.grammar.tags import TagsShape
from policies.grammar.use import UseShape
from policies.grammar.words import ID, PROSE
from policies.model.routes import RouteStatement
from policies.shapes import Key, Record

ROUTE = Record(
    what="a route",
    build=RouteStatement,
    keys={
        "id": Key(ID, "id: a short name that decisions and reports show", required=True),
        "because": Key(PROSE, "the reason, in words for people"),
        "when": Key(ConditionShape(), "when it is taken; without it, always"),
        "use": Key(UseShape(), "use: [deployments, best, first]", required=True),
        "shadow": Key(ShadowShape(), "who gets a copy after the answer, for comparison"),
        "add_headers": Key(
            HeadersShape(references=False), "headers that every call of the route carries"
        ),
        "add_tags": Key(
            TagsShape(), "tags for budgets, reports and the audit log, over the caller's own"
        ),
    },
)
