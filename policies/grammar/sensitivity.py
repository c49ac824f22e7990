"""The section `sensitivity`."""

from __future__ import annotations

from gateway.core.findings import FINDING_TYPES
from policies.grammar.detectors import DETECTOR
from policies.grammar.levels import STATED_LEVEL
from policies.grammar.second_stage import SECOND_STAGE
from policies.grammar.words import LEVEL
from policies.model.sensitivity import SensitivityStatement
from policies.shapes import Key, ListOf, PairsOf, Record

SENSITIVITY = Record(
    what="sensitivity",
    build=SensitivityStatement,
    keys={
        "default": Key(STATED_LEVEL, "the level of a request in which nothing was found"),
        "findings": Key(
            PairsOf(item=STATED_LEVEL, what="the finding types", known=FINDING_TYPES),
            "the level that each type raises a request to; others keep their own; one that is "
            "lower than built in says why: {level, because}",
        ),
        "weak_pair": Key(LEVEL, "the level of two kinds of weak findings together"),
        "detectors": Key(ListOf(item=DETECTOR), "a company's own words and patterns"),
        "second_stage": Key(
            SECOND_STAGE, "who is asked too where a request might leave: Presidio or a deployment"
        ),
    },
)
