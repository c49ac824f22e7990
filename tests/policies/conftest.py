"""What policy tests share: a price list, secrets, and short ways to read, compile and decide."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.decision import Decision, Facts
from gateway.core.deployment import Secret
from gateway.core.findings import Finding, SensitivityRules, sensitivity_of
from gateway.core.prices import Price
from gateway.core.principal import Principal
from gateway.core.profile import Needs, Profile, TokenEstimate
from gateway.core.sensitivity import Sensitivity
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.engine import decide
from policies.loader import read_policy

#: Two self-hosted deployments and one outside; tests put their own statements behind.
DEPLOYMENTS = """\
fairlead: 1
deployments:
  house: {adapter: openai_compatible, base_url: "http://127.0.0.1:8000/v1", model: llama,
          clearance: restricted, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  tiny: {adapter: ctransformers, model: m, clearance: confidential,
         price: {input_usd_per_mtok: 0.1, output_usd_per_mtok: 0.1}}
  frontier: {adapter: openai, model: gpt-4o, api_key: "env:KEY", clearance: internal}
aliases: {auto: {}, gpt-4o: {}}
"""


def list_price(provider: str, model: str) -> Price | None:
    """A price list with one entry."""
    if (provider, model) != ("openai", "gpt-4o"):
        return None
    return Price(
        input=2_500_000_000,
        output=10_000_000_000,
        cached_input=1_250_000_000,
        cache_write=2_500_000_000,
        source="list",
        revision="r1",
    )


def every_secret(reference: str) -> Secret | None:
    """A secret for every reference but those that are called MISSING."""
    return None if "MISSING" in reference else Secret(f"value of {reference}")


@pytest.fixture(scope="session")
def deployments() -> str:
    """The beginning of a policy file: three deployments and two aliases."""
    return DEPLOYMENTS


@pytest.fixture(scope="session")
def compiled() -> Callable[[str], CompiledPolicy]:
    """Read and compile the text of a whole policy file."""

    def compile_text(text: str) -> CompiledPolicy:
        return compile_policy(read_policy(text, "test.yaml"), list_price, every_secret)

    return compile_text


@pytest.fixture(scope="session")
def facts() -> Callable[..., Facts]:
    """Facts with everything harmless except what is given."""

    def make(
        *,
        model: str = "auto",
        sensitivity: Sensitivity | None = None,
        findings: tuple[str, ...] = (),
        masked: tuple[str, ...] = (),
        difficulty: float = 0.5,
        reliability: float = 0.0,
        task: str = "chat",
        needs: Needs | None = None,
        tokens: int = 100,
        failed: tuple[str, ...] = (),
        principal: Principal | None = None,
        **others: object,
    ) -> Facts:
        found = tuple(Finding(type=name, start=0, end=1) for name in findings) + tuple(
            Finding(type=name, start=0, end=1, masked=True) for name in masked
        )
        level = sensitivity_of(found, SensitivityRules()) if sensitivity is None else sensitivity
        profile = Profile(
            sensitivity=level,
            findings=found,
            difficulty=difficulty,
            reliability=reliability,
            task=task,
            needs=needs or Needs(),
            tokens=TokenEstimate(expected=tokens, upper_bound=tokens * 2),
            failed=failed,
        )
        return Facts(
            requested_model=model,
            principal=principal or Principal(key_id="k1"),
            profile=profile,
            **others,  # type: ignore[arg-type]
        )

    return make


@pytest.fixture(scope="session")
def decided(
    compiled: Callable[[str], CompiledPolicy], facts: Callable[..., Facts]
) -> Callable[..., Decision]:
    """Decide facts under statements that stand behind the shared deployments."""

    def make(statements: str, **given: object) -> Decision:
        return decide(compiled(DEPLOYMENTS + statements), facts(**given))

    return make
