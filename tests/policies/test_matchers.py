"""What conditions ask, one fact at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.core.decision import Decision
from gateway.core.principal import Principal
from gateway.core.profile import Needs
from gateway.core.sensitivity import Sensitivity

S = Sensitivity
WHO = Principal(key_id="k", org="acme", team="support", app="desk", user="u1")

CASES: list[tuple[str, dict[str, object], bool]] = [
    ("{}", {}, True),
    ("{sensitivity: internal}", {"sensitivity": S.INTERNAL}, True),
    ("{sensitivity: internal}", {"sensitivity": S.PUBLIC}, False),
    ('{sensitivity: "< confidential"}', {"sensitivity": S.INTERNAL}, True),
    ('{sensitivity: "< confidential"}', {"sensitivity": S.CONFIDENTIAL}, False),
    ("{sensitivity: internal..confidential}", {"sensitivity": S.CONFIDENTIAL}, True),
    ("{sensitivity: internal..confidential}", {"sensitivity": S.RESTRICTED}, False),
    ("{sensitivity: [public, restricted]}", {"sensitivity": S.RESTRICTED}, True),
    ("{sensitivity: [public, restricted]}", {"sensitivity": S.INTERNAL}, False),
    ('{difficulty: "> 0.5"}', {"difficulty": 0.5}, False),
    ('{difficulty: ">= 0.5"}', {"difficulty": 0.5}, True),
    ("{difficulty: 0.2..0.6}", {"difficulty": 0.6}, True),
    ("{difficulty: 0.2..0.6}", {"difficulty": 0.61}, False),
    ("{difficulty: 0.2..0.6}", {"difficulty": 0.1}, False),
    ('{difficulty: ">= 60%"}', {"difficulty": 0.6}, True),
    ("{difficulty: 0.5}", {"difficulty": 0.5}, True),
    ('{input_tokens: "> 32k"}', {"tokens": 32_000}, False),
    ('{input_tokens: "> 32k"}', {"tokens": 32_001}, True),
    ('{input_tokens: "<= 1.5k"}', {"tokens": 1500}, True),
    ("{input_tokens: [1, 2, 100]}", {"tokens": 100}, True),
    ('{budget_used: ">= 80%"}', {"budget_used": 0.8}, True),
    ('{budget_used: ">= 80%"}', {"budget_used": 0.79}, False),
    ('{output_tokens: "> 4k"}', {"max_output_tokens": 3000, "choices": 2}, True),
    ('{output_tokens: "> 4k"}', {"max_output_tokens": 3000}, False),
    ("{output_tokens: 4096}", {}, True),
    ('{reliability: "< 50%"}', {"reliability": 0.4}, True),
    ('{reliability: "< 50%"}', {"reliability": 0.5}, False),
    ("{key: [k1, k2]}", {}, True),
    ("{key: k2}", {}, False),
    ("{api: [embeddings, completions]}", {"api": "embeddings"}, True),
    ("{api: messages}", {}, False),
    ("{findings: [email, medical]}", {"findings": ("medical",)}, True),
    ("{findings: [email, medical]}", {"findings": ("phone",)}, False),
    ("{findings: email}", {"findings": ("email",)}, True),
    ("{findings: {all: [email, phone]}}", {"findings": ("email",)}, False),
    ("{findings: {all: [email, phone]}}", {"findings": ("email", "phone")}, True),
    ("{findings: {none: [email]}}", {"findings": ("phone",)}, True),
    ("{findings: {none: [email]}}", {"findings": ("email",)}, False),
    ("{findings: {any: [email, phone], none: iban}}", {"findings": ("email", "iban")}, False),
    ("{needs: vision}", {"needs": Needs(vision=True)}, True),
    ("{needs: vision}", {}, False),
    ("{needs: {none: [vision]}}", {"needs": Needs(tools=True)}, True),
    ("{task: [code, maths]}", {"task": "maths"}, True),
    ("{task: code}", {"task": "chat"}, False),
    ("{model: gpt-*}", {"model": "gpt-4o"}, True),
    ("{model: gpt-*}", {"model": "auto"}, False),
    ("{model: [auto, x]}", {"model": "auto"}, True),
    ("{org: acme, team: [support, sales], app: desk, user: u1}", {"principal": WHO}, True),
    ("{org: acme, team: sales}", {"principal": WHO}, False),
    ("{user: u*}", {"principal": WHO}, True),
    ("{tags: {project: [apollo, gemini]}}", {"tags": (("project", "gemini"),)}, True),
    ("{tags: {project: apollo}}", {"tags": (("project", "gemini"),)}, False),
    ("{tags: {project: '*'}}", {"tags": (("project", "gemini"),)}, True),
    ("{tags: {project: ap*, tier: 1}}", {"tags": (("project", "apollo"), ("tier", "1"))}, True),
    ("{tags: {project: '*'}}", {}, False),
    ("{stream: true}", {"stream": True}, True),
    ("{stream: true}", {}, False),
    ("{stream: false}", {}, True),
    ("{not: {stream: true}}", {}, True),
    ("{not: [{stream: true}, {task: chat}]}", {}, False),
    ("{any: [{stream: true}, {task: chat}]}", {}, True),
    ("{any: [{stream: true}, {task: code}]}", {}, False),
    ("{all: [{stream: false}, {task: chat}]}", {}, True),
    ("{all: [{any: [{task: chat}]}, {not: {task: chat}}]}", {}, False),
    # 100 expected tokens and 4,096 of answer at frontier's price are $0.04121.
    ('{estimated_cost: "> $0.04"}', {}, True),
    ('{estimated_cost: "> 0.0413 USD"}', {}, False),
    ("{estimated_cost: 0.041..0.0413}", {}, True),
]


@pytest.mark.parametrize(("when", "given", "expected"), CASES)
def test_conditions_hold_or_not(
    decided: Callable[..., Decision], when: str, given: dict[str, object], expected: bool
) -> None:
    """The route is taken exactly when its condition holds."""
    routes = f"routes: [{{id: yes, when: {when}, use: [house]}}, {{id: no, use: [house]}}]\n"

    assert decided(routes, **given).route == ("yes" if expected else "no")


@pytest.mark.parametrize(
    ("when", "moment", "expected"),
    [
        ("{hours: '8..18'}", "2026-03-02T07:59", False),
        ("{hours: '8..18'}", "2026-03-02T08:00", True),
        ("{hours: '08:00..18:00'}", "2026-03-02T17:59", True),
        ("{hours: '08:00..18:00'}", "2026-03-02T18:00", False),
        ("{weekdays: mon..fri}", "2026-03-06T12:00", True),
        ("{weekdays: mon..fri}", "2026-03-07T12:00", False),
        ("{weekdays: [sat, sun]}", "2026-03-07T12:00", True),
        ("{weekdays: sat..mon}", "2026-03-02T12:00", True),
        ("{hours: '22..6', weekdays: fri}", "2026-03-06T23:00", True),
        ("{hours: '22..6', weekdays: fri}", "2026-03-07T05:59", True),
        ("{hours: '22..6', weekdays: fri}", "2026-03-07T23:00", False),
        ("{hours: '22..6', weekdays: fri}", "2026-03-06T05:00", False),
        ("{hours: '0..24'}", "2026-03-06T00:00", True),
        ("{days: 1..5}", "2026-03-05T23:59", True),
        ("{days: [1, 28..31]}", "2026-03-05T12:00", False),
        ("{days: [1, 28..31]}", "2026-03-31T12:00", True),
        ("{dates: 2026-12-20..2027-01-02}", "2027-01-02T23:59", True),
        ("{dates: 2026-12-20..2027-01-02}", "2027-01-03T00:00", False),
        ("{dates: 2026-12-24}", "2026-12-24T00:00", True),
        ("{hours: '22..6', dates: 2026-12-24}", "2026-12-25T05:00", True),
        ("{hours: '22..6', days: 24}", "2026-12-24T05:00", False),
    ],
)
def test_time_windows_are_local_and_may_pass_midnight(
    decided: Callable[..., Decision], when: str, moment: str, expected: bool
) -> None:
    """Hours and days are those of the zone; a night belongs to the day on which it begins."""
    zone = "America/New_York"
    now = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).timestamp()
    window = when[:-1] + f", zone: {zone}}}"
    routes = (
        f"routes: [{{id: yes, when: {{time: {window}}}, use: [house]}}, {{id: no, use: [house]}}]\n"
    )

    assert decided(routes, now=now).route == ("yes" if expected else "no")
