"""A whole policy file: its sections."""

from __future__ import annotations

from policies.grammar.aliases import ALIAS
from policies.grammar.budgets import BUDGET
from policies.grammar.cases import CASE
from policies.grammar.constraints import CONSTRAINT
from policies.grammar.defaults import DEFAULTS
from policies.grammar.degradation import DEGRADATION
from policies.grammar.deployments import DEPLOYMENT
from policies.grammar.limits import LIMIT
from policies.grammar.never import NEVER
from policies.grammar.routes import ROUTE
from policies.grammar.sensitivity import SENSITIVITY
from policies.grammar.words import NAME_PATTERN
from policies.model.file import PolicyFile
from policies.shapes import Choice, Key, ListOf, NamedRecords, Record, Whole

#: The version of the file format that this code reads.
VERSION = 1

POLICY = Record(
    what="a policy",
    build=PolicyFile,
    keys={
        "fairlead": Key(Whole(), "fairlead: 1 (the version of the format)", required=True),
        "defaults": Key(DEFAULTS, "values for whatever says nothing itself"),
        "deployments": Key(
            NamedRecords(record=DEPLOYMENT, pattern=NAME_PATTERN),
            "the models that may be called, by name",
            required=True,
        ),
        "aliases": Key(
            NamedRecords(record=ALIAS, pattern=NAME_PATTERN, may_be_empty=True),
            "model names that apps may ask for; policy decides what serves them",
        ),
        "sensitivity": Key(SENSITIVITY, "how findings become a level"),
        "constraints": Key(ListOf(item=CONSTRAINT), "what may never happen; all of them apply"),
        "never": Key(
            ListOf(item=NEVER), "what the rest of the file must guarantee; proved, and enforced"
        ),
        "routes": Key(
            ListOf(item=ROUTE, least=1),
            "what we would like; the first that holds is taken",
            required=True,
        ),
        "budgets": Key(ListOf(item=BUDGET), "money caps by scope and period"),
        "degradation": Key(
            DEGRADATION, "what happens when something is not there; what is not said is safe"
        ),
        "redis_down": Key(
            Choice(options={name: name for name in ("strict", "lenient")}, what="a way to go on"),
            "earlier words for degradation.redis_down: strict is refuse, lenient is from_slices",
        ),
        "limits": Key(ListOf(item=LIMIT), "requests and tokens by scope and time, and at once"),
        "tests": Key(ListOf(item=CASE), "examples that must hold; a failing one refuses the file"),
    },
)
