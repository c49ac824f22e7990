"""A company's own words through the whole gateway, and through its commands."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.harness import GatewayProcess, running
from tests.e2e.inprocess import gateway_with
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import ScriptedUpstream

POLICY = """
fairlead: 1
deployments:
  house: {{adapter: openai_compatible, base_url: "{house}/v1", model: small, clearance: restricted,
          price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 1}}}}
  outside: {{adapter: openai_compatible, base_url: "{outside}/v1", model: large,
            clearance: internal, self_hosted: false,
            price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 1}}}}
aliases: {{auto: {{}}}}
sensitivity:
  findings: {{project: restricted, organization: confidential}}
  detectors:
    - {{id: projects, type: project, terms: {terms}}}
    - {{id: staff, type: organization, pattern: 'EMP-[0-9]{{6}}'}}
constraints: [{{id: hide, mask: organization}}]
routes: [{{id: all, use: [outside, house]}}]
tests:
  - {{name: Apollo stays here, given: {{text: about apollo}}, expect: {{never: outside}}}}
"""


async def test_own_words_keep_a_request_at_home_and_own_patterns_are_masked(
    redis_url: str, home: Path, org: str
) -> None:
    """What a policy looks for itself counts like any finding, from clearance to masks."""
    both = chat.either(chat.answer(), chat.stream())
    async with ScriptedUpstream(both) as house, ScriptedUpstream(both) as outside:
        text = POLICY.format(house=house.url, outside=outside.url, terms="[Apollo]")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            await gateway.chat("When does APOLLO start?")
            await gateway.chat("Who is EMP-123456?")
            await gateway.chat("Who was Kepler?")

    assert len(house.requests) == 1
    sent = [json.loads(one.body)["messages"][0]["content"] for one in outside.requests]
    assert len(sent) == 2
    assert "EMP-123456" not in sent[0]
    assert sent[1] == "Who was Kepler?"


async def test_terms_may_stand_in_a_file_beside_the_policy(home: Path) -> None:
    """The running gateway and the commands beside it read it, and say when it is not there."""
    both = chat.either(chat.answer(), chat.stream())
    home.mkdir(exist_ok=True)
    async with ScriptedUpstream(both) as house, ScriptedUpstream(both) as outside:
        text = POLICY.format(house=house.url, outside=outside.url, terms="'file:names.txt'")
        gateway = GatewayProcess(home, text)
        (home / "names.txt").write_text("# ours\nApollo\n", encoding="utf-8")
        async with running(gateway):
            key = gateway.new_key()
            assert key
            judged = gateway.command(
                "classify", "--policy", "given.yaml", given='{"id": 1, "text": "the Apollo plan"}'
            )
            tested = gateway.command("policy", "test", "given.yaml")
        (home / "names.txt").unlink()
        missing = gateway.command("policy", "test", "given.yaml")
        unjudged = gateway.command("classify", "--policy", "given.yaml", given="")

    answer = json.loads(judged.stdout)
    assert (answer["sensitivity"], answer["findings"][0]["type"]) == ("restricted", "project")
    assert (tested.returncode, missing.returncode, unjudged.returncode) == (0, 1, 2)
    for told in (missing, unjudged):
        assert "the file of terms 'names.txt' cannot be read" in told.stdout + told.stderr
