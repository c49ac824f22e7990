"""The second stage of privacy, in the section `sensitivity`."""

from __future__ import annotations

from decimal import Decimal

from gateway.core.second_stage import ON_FAILURE
from policies.grammar.conditions import ConditionShape
from policies.grammar.endpoints import UrlShape
from policies.grammar.words import FINDING, NAME
from policies.model.second_stage import PresidioStatement, SecondStageStatement
from policies.shapes import Amount, Choice, Key, PairsOf, Record, Text

_ENTITY = r"[A-Za-z][A-Za-z0-9_]{0,79}"
_PRESIDIO = Record(
    what="a Presidio analyzer",
    build=PresidioStatement,
    keys={
        "url": Key(UrlShape(), 'url: where it listens, such as "http://127.0.0.1:5002"', True),
        "language": Key(
            Text(what="a language code", pattern=r"[a-z]{2,3}"), "the language it reads; en"
        ),
        "score": Key(Amount(most=Decimal(1)), "findings below this score are not asked for; 0.5"),
        "entities": Key(
            PairsOf(item=FINDING, what="Presidio's entities", pattern=_ENTITY),
            "what it is asked for: its names with our finding types; without the key, people, "
            "places and the numbers of many countries",
        ),
    },
)

SECOND_STAGE = Record(
    what="a second stage",
    build=SecondStageStatement,
    keys={
        "presidio": Key(_PRESIDIO, "ask a Presidio analyzer of yours"),
        "deployment": Key(NAME, "ask a self-hosted deployment that is cleared for restricted"),
        "when": Key(ConditionShape(), "which requests it is asked about; without it, all"),
        "timeout_seconds": Key(
            Amount(positive=True, most=Decimal(120)), "how long its answer may take; 5"
        ),
        "on_failure": Key(
            Choice(options={name: name for name in ON_FAILURE}, what="a way to go on"),
            "without an answer the request counts as restricted, or the first stage stands",
        ),
    },
)
