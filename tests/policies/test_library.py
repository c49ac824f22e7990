"""The policies that we ship pass their own tests and every check."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.classify.classifier import Classifier, load_classifier
from gateway.config.price_book import load_price_book
from gateway.core.deployment import SHIPPED_ADAPTERS, Secret
from policies.checker.proof import prove
from policies.checker.subject import subject_of
from policies.checks.registry import run_checks
from policies.compiler import compile_policy
from policies.loader import load_policy
from policies.resolve import Known
from policies.testing import run_tests

LIBRARY = sorted((Path(__file__).parents[2] / "policies" / "library").glob("*.yaml"))
PRICES = load_price_book().price_of


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The real classifier."""
    return load_classifier()


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_a_shipped_policy_passes_its_tests(path: Path, classifier: Classifier) -> None:
    """Its texts are judged by the real classifier."""
    policy = compile_policy(load_policy(path), PRICES, lambda reference: Secret("x"))
    outcomes = run_tests(policy, classifier.judge_text)

    assert len(outcomes) >= 5
    assert [(one.name, one.failures) for one in outcomes if not one.passed] == []


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_a_shipped_policy_passes_every_check(path: Path) -> None:
    """Not even a warning is left."""
    known = Known(adapters=SHIPPED_ADAPTERS, prices=PRICES)

    assert run_checks(load_policy(path), known) == ()


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_a_shipped_policy_is_proved(path: Path) -> None:
    """Nothing in it leaks or is refused for lack of a candidate, for any request."""
    file = load_policy(path)
    policy = compile_policy(file, PRICES, lambda reference: Secret("x"))
    proof = prove(subject_of(file, policy, SHIPPED_ADAPTERS))

    assert [(one.path, one.message) for one in proof.breaches] == []
    assert proof.proved
