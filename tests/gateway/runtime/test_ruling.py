"""A policy in use: taken by requests, replaced between them, closed after the last of them."""

from __future__ import annotations

import asyncio

import pytest

from adapters.base import Outbound, Upstream
from gateway.core.deployment import Deployment
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.runtime.ruling import Rulings
from gateway.wire.base import Caching
from policies.compiled import CompiledPolicy
from tests.e2e.inprocess import compile_text

TEXT = """\
fairlead: 1
deployments:
  house: {adapter: ollama_native, model: m, clearance: restricted, price: {gpu_hour_usd: 1,
          tokens_per_second: 100, utilisation: 0.5}}
  guest: {adapter: ollama_native, model: %s, clearance: internal, price: {gpu_hour_usd: 1,
          tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
routes: [{id: all, use: [house, guest]}]
"""


class Opened:
    """An adapter that only knows whether it is still open."""

    wire = "openai_chat"
    wires = frozenset({"openai_chat"})
    cap_field = "max_tokens"
    caching: Caching = "none"

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.closed = 0

    async def open(self, outbound: Outbound) -> Upstream | AttemptFailure:
        return AttemptFailure(kind=FailureKind.CONNECT, detail="nobody listens")

    async def close(self) -> None:
        self.closed += 1


class Opener:
    """Opens adapters and remembers them; a model named `broken` cannot be opened."""

    def __init__(self) -> None:
        self.made: list[Opened] = []

    def __call__(self, deployment: Deployment) -> Opened:
        if deployment.model == "broken":
            raise ValueError(f"deployment '{deployment.name}' lacks something")
        self.made.append(Opened(deployment))
        return self.made[-1]

    def open_models(self) -> list[str]:
        return [one.deployment.model for one in self.made if not one.closed]


def policy(guest: str) -> CompiledPolicy:
    return compile_text(TEXT % guest)


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
async def rulings(opener: Opener) -> Rulings:
    made = Rulings(opener)
    await made.adopt(policy("old"))
    return made


async def test_a_request_keeps_its_revision_while_another_comes_into_force(
    rulings: Rulings,
) -> None:
    """What began under the old policy ends under it; what begins later takes the new one."""
    with rulings.taken() as mine:
        await rulings.adopt(policy("new"))
        with rulings.taken() as theirs:
            models = [one.adapters["guest"].deployment.model for one in (mine, theirs)]

    assert models == ["old", "new"]
    assert mine.policy.revision != theirs.policy.revision


async def test_an_adapter_closes_when_the_last_request_that_uses_it_has_ended(
    rulings: Rulings, opener: Opener
) -> None:
    """Not when its deployment vanishes from the policy."""
    with rulings.taken():
        with rulings.taken():
            await rulings.adopt(policy("new"))
        await asyncio.sleep(0)
        during = opener.open_models()
    await asyncio.sleep(0)

    assert during == ["m", "old", "new"]
    assert opener.open_models() == ["m", "new"]


async def test_an_adapter_that_nobody_uses_closes_at_once(rulings: Rulings, opener: Opener) -> None:
    """A change without traffic leaves nothing behind."""
    await rulings.adopt(policy("new"))

    assert opener.open_models() == ["m", "new"]


async def test_a_deployment_that_stays_as_it_is_keeps_its_adapter(
    rulings: Rulings, opener: Opener
) -> None:
    """Through any number of changes, and through those that requests overlap."""
    first = rulings.current.adapters["house"]
    with rulings.taken():
        await rulings.adopt(policy("new"))
        await rulings.adopt(policy("newer"))

    assert rulings.current.adapters["house"] is first
    assert [one.deployment.model for one in opener.made] == ["m", "old", "new", "newer"]


async def test_a_policy_that_cannot_be_opened_leaves_the_current_one(
    rulings: Rulings, opener: Opener
) -> None:
    """All or nothing: no request ever meets half of a policy."""
    before = rulings.current
    with pytest.raises(ValueError, match="lacks something"):
        await rulings.adopt(policy("broken"))

    assert rulings.current is before
    assert opener.open_models() == ["m", "old"]


async def test_closing_gives_every_adapter_back_once(rulings: Rulings, opener: Opener) -> None:
    """Also those that a replaced ruling and the current one share, while a request still runs."""
    with rulings.taken():
        await rulings.adopt(policy("new"))
        await rulings.close()

    assert [one.closed for one in opener.made] == [1, 1, 1]


async def test_before_the_first_policy_there_is_no_ruling(opener: Opener) -> None:
    """Nothing is ever served without a policy."""
    with pytest.raises(LookupError):
        _ = Rulings(opener).current
