"""The `second_stage` of the section `sensitivity`."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from gateway.core.second_stage import ON_FAILURE
from policies.model.conditions import Condition
from policies.problems import Place


class PresidioStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A Presidio analyzer; without `entities`, those that are asked for by default."""

    at: Place
    url: str
    language: str = "en"
    score: Decimal = Decimal("0.5")
    entities: tuple[tuple[str, str], ...] = ()


class SecondStageStatement(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asked, `presidio` or a `deployment`; about which requests; and how long that may take.

    `timeout_seconds` is for the whole answer; `on_failure` is one of `ON_FAILURE`.
    """

    at: Place
    presidio: PresidioStatement | None = None
    deployment: str = ""
    when: Condition | None = None
    timeout_seconds: Decimal = Decimal(5)
    on_failure: str = ON_FAILURE[0]
