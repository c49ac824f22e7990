"""Whether a policy's text is fit to come into force: read, checked, compiled and tested.

Everybody who brings a text into force comes through here: a file that was edited, the admin
plane, a rollback and the start of a gateway. What fails leaves the last good version in force.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from gateway.core.deployment import AdapterFacts
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.loader import read_policy
from policies.problems import PolicyError
from policies.resolve import PriceLookup, SecretLookup, TermsLookup
from policies.testing import JudgeText, needs_judge, problems_of, run_tests


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What a text is tried with.

    `judge_text` gives what judges the texts of tests, and is only asked when a test has one.
    """

    prices: PriceLookup
    secrets: SecretLookup
    adapters: Mapping[str, AdapterFacts]
    terms: TermsLookup
    judge_text: Callable[[], JudgeText]


def compiled(text: str, source: str, bench: Bench) -> CompiledPolicy:
    """Read and compile a text, without its tests; `source` names it in messages.

    Raises:
        PolicyError: something in it is wrong; it holds every problem with line and column.
    """
    file = read_policy(text, source)
    return compile_policy(file, bench.prices, bench.secrets, bench.adapters, bench.terms)


def tried(text: str, source: str, bench: Bench) -> CompiledPolicy:
    """The compiled policy of a text that may come into force, as far as no proof is needed.

    Raises:
        PolicyError: it may not; a test that fails has the code `test`.
    """
    policy = compiled(text, source, bench)
    judge = bench.judge_text() if needs_judge(policy) else None
    problems = problems_of(run_tests(policy, judge))
    if problems:
        raise PolicyError(problems, source)
    return policy
