"""The example with which the language was designed works word for word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.classify.classifier import load_classifier
from gateway.config.price_book import load_price_book
from gateway.core.decision import Facts
from gateway.core.deployment import SHIPPED_ADAPTERS, Secret
from gateway.core.sensitivity import Sensitivity
from policies.checks.registry import run_checks
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.engine import decide
from policies.explain import explain
from policies.loader import read_policy
from policies.resolve import Known
from policies.testing import run_tests

EXAMPLE = """\
fairlead: 1
deployments:
  house-llama:   {adapter: openai_compatible, base_url: "http://127.0.0.1:8000/v1", model: meta-llama/Llama-3-8B-Instruct,
                  clearance: restricted, price: {gpu_hour_usd: 2.10, tokens_per_second: 1800, utilisation: 0.4}}
  frontier:      {adapter: openai, model: gpt-4o, api_key: "env:OPENAI_API_KEY", clearance: internal}
aliases:
  auto: {}
  gpt-4o: {}                       # existing apps keep their model name; policy decides
sensitivity:
  default: internal
  findings: {credential: restricted, payment_card: restricted, person: confidential, email: confidential}
constraints:
  - id: health-stays-home
    because: Health data may not leave our network (GDPR Art. 9).
    when: {findings: [medical]}
    only: {clearance: restricted}
routes:
  - id: hard-and-harmless
    because: Only hard questions are worth frontier prices.
    when: {difficulty: ">= 0.6", sensitivity: "<= internal"}
    use: [frontier, house-llama]
  - id: everything-else
    use: [house-llama, frontier]
budgets:
  - {scope: team/support, usd: 500, per: month, on_exhausted: self_hosted_only}
tests:
  - {name: a card number never leaves, given: {text: "card 4111 1111 1111 1111"}, expect: {deployment: house-llama}}
"""  # noqa: E501 - word for word
PRICES = load_price_book().price_of


@pytest.fixture(scope="module")
def policy() -> CompiledPolicy:
    """The example as the gateway compiles it."""
    file = read_policy(EXAMPLE, "example.yaml")
    return compile_policy(file, PRICES, lambda reference: Secret("x"), SHIPPED_ADAPTERS)


def test_no_check_has_anything_to_say() -> None:
    """Not even a warning."""
    known = Known(adapters=SHIPPED_ADAPTERS, prices=PRICES)

    assert run_checks(read_policy(EXAMPLE, "example.yaml"), known) == ()


def test_its_own_test_holds(policy: CompiledPolicy) -> None:
    """The real classifier judges the card number."""
    (outcome,) = run_tests(policy, load_classifier().judge_text)

    assert outcome.failures == ()


@pytest.mark.parametrize(
    ("given", "route", "candidates"),
    [
        ({"difficulty": 0.6}, "hard-and-harmless", ("frontier", "house-llama")),
        ({"difficulty": 0.59}, "everything-else", ("house-llama", "frontier")),
        (
            {"difficulty": 0.9, "sensitivity": Sensitivity.CONFIDENTIAL},
            "everything-else",
            ("house-llama",),
        ),
        ({"difficulty": 0.9, "findings": ("medical",)}, "everything-else", ("house-llama",)),
    ],
)
def test_it_decides_as_it_reads(
    policy: CompiledPolicy,
    facts: Callable[..., Facts],
    given: dict[str, object],
    route: str,
    candidates: tuple[str, ...],
) -> None:
    """Hard and harmless goes out; whatever is sensitive, or medical, stays."""
    told = {"sensitivity": Sensitivity.INTERNAL} | given
    if "findings" in told:
        del told["sensitivity"]
    made = facts(**told)
    decision = decide(policy, made)

    assert decision.route == route
    assert tuple(one.name for one in decision.candidates) == candidates
    assert explain(policy, made).candidates == candidates
