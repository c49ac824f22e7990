"""Deployments chosen by what is known of their models."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.decision import Facts
from gateway.core.principal import Principal
from gateway.core.profile import Profile
from gateway.core.sensitivity import Sensitivity
from policies.compiled import CompiledPolicy
from policies.engine import decide

DEPLOYMENTS = """\
fairlead: 1
deployments:
  llama: {adapter: openai_compatible, base_url: "http://127.0.0.1:1/v1", clearance: restricted,
          price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1},
          model: meta-llama/Llama-3.1-8B-Instruct}
  coder: {adapter: openai_compatible, base_url: "http://127.0.0.1:2/v1", clearance: restricted,
          model: codellama/CodeLlama-34b-hf, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}}
  orca: {adapter: openai_compatible, base_url: "http://127.0.0.1:3/v1", clearance: restricted,
         model: microsoft/Orca-2-13b, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}}
  own: {adapter: openai_compatible, base_url: "http://127.0.0.1:4/v1", clearance: restricted,
        model: our-model, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}}
aliases: {auto: {}}
"""
FACTS = Facts(
    requested_model="auto",
    principal=Principal(org="o", team="t", key_id="k"),
    profile=Profile(sensitivity=Sensitivity.INTERNAL),
)


@pytest.mark.parametrize(
    ("rules", "chosen"),
    [
        ("routes: [{id: r, use: {strategy: ordered, among: {license: commercial}}}]",
         ["llama", "coder"]),
        ("routes: [{id: r, use: {strategy: ordered, among: {license: non_commercial}}}]", ["orca"]),
        ("routes: [{id: r, use: {strategy: ordered, among: {best_at: code}}}]", ["llama"]),
        ("routes: [{id: r, use: {strategy: ordered, among: {best_at: knowledge, "
         "license: non_commercial}}}]", ["orca"]),
        ("routes: [{id: r, use: {strategy: ordered, among: {min_context: 16k}}}]",
         ["llama", "coder"]),
        ("constraints: [{id: c, because: Law., only: {license: commercial}}]\n"
         "routes: [{id: r, use: [orca, own, llama]}]", ["llama"]),
        ("constraints: [{id: c, because: Law., forbid: {license: non_commercial}}]\n"
         "routes: [{id: r, use: [orca, own, llama]}]", ["llama"]),
    ],
)  # fmt: skip
def test_profiles_choose(
    compiled: Callable[[str], CompiledPolicy], rules: str, chosen: list[str]
) -> None:
    """What is not known fits no wish, and may fit what is forbidden."""
    decision = decide(compiled(DEPLOYMENTS + rules), FACTS)

    assert [one.name for one in decision.candidates] == chosen


def test_a_deployment_has_the_skills_of_its_model(
    compiled: Callable[[str], CompiledPolicy],
) -> None:
    """So predicted quality tells one deployment from another."""
    policy = compiled(DEPLOYMENTS + "routes: [{id: r, use: [llama]}]")

    assert policy.deployments["llama"].skills.code == 0.726
    assert policy.deployments["own"].skills.code is None
