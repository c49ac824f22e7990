"""One entry of `tests`: what is given and what is expected."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from gateway.core.sensitivity import Sensitivity
from policies.problems import Place


class SpeedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a deployment is to be taken for."""

    at: Place
    first_byte_seconds: Decimal
    tokens_per_second: Decimal | None = None


class GivenStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The request of a test: real text that is judged, or facts that are set, or both.

    Facts that are given win over what the judging of the text found. `counted` has the tokens of
    the input by tokenizer family; those that it does not name read `input_tokens`.
    """

    at: Place
    text: str | None = None
    model: str = ""
    org: str = "default"
    team: str = "default"
    app: str = ""
    user: str = ""
    key: str = "test"
    api: str = "chat"
    tags: tuple[tuple[str, str], ...] = ()
    stream: bool = False
    sensitivity: Sensitivity | None = None
    findings: tuple[str, ...] | None = None
    difficulty: Decimal | None = None
    reliability: Decimal | None = None
    task: str | None = None
    needs: tuple[str, ...] | None = None
    input_tokens: int | None = None
    counted: tuple[tuple[str, int], ...] = ()
    failed: tuple[str, ...] = ()
    declared: Sensitivity = Sensitivity.PUBLIC
    max_output_tokens: int | None = None
    budget_used: Decimal = Decimal(0)
    time: str = ""
    session: str = ""
    request_id: str = ""
    speeds: tuple[tuple[str, SpeedStatement], ...] = ()


class ExpectStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What a test expects of the decision; what is not given is not looked at."""

    at: Place
    deployment: str | None = None
    any_of: tuple[str, ...] | None = None
    never: tuple[str, ...] | None = None
    refused: bool | None = None
    route: str | None = None
    reasons: tuple[str, ...] | None = None
    sensitivity: Sensitivity | None = None
    mask: tuple[str, ...] | None = None
    output_cap: int | None = None
    shadow: str | None = None
    judge: str | None = None
    headers: tuple[tuple[str, str], ...] | None = None
    tags: tuple[tuple[str, str], ...] | None = None


class CaseStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `tests`."""

    at: Place
    name: str
    given: GivenStatement
    expect: ExpectStatement
