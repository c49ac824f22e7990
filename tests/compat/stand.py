"""A gateway process in front of the answering upstream, with one key per kind of backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.compat.answering_upstream import play
from tests.e2e.backstage import upstream_thread
from tests.e2e.harness import GatewayProcess
from tests.upstreams.scripted import ScriptedUpstream

#: Backends by the wire that they speak; a key's app chooses among them.
POLICY = """
fairlead: 1
deployments:
  chat-backend:
    adapter: openai_compatible
    base_url: "{url}/v1"
    model: scripted-chat
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  messages-backend:
    adapter: anthropic
    base_url: "{url}"
    api_key: env:UPSTREAM_KEY
    model: scripted-messages
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  responses-backend:
    adapter: openai_compatible
    base_url: "{url}/v1"
    options: {{wire: openai_responses}}
    model: scripted-responses
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  # Named as their models are, for clients that change the model and look at the answer's.
  other-openai_chat:
    adapter: openai_compatible
    base_url: "{url}/v1"
    model: other-openai_chat
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  other-anthropic_messages:
    adapter: anthropic
    base_url: "{url}"
    api_key: env:UPSTREAM_KEY
    model: other-anthropic_messages
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  other-openai_responses:
    adapter: openai_compatible
    base_url: "{url}/v1"
    options: {{wire: openai_responses}}
    model: other-openai_responses
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
aliases:
  gpt-4.1-mini: {{}}
  gpt-4.1: {{}}
  claude-sonnet-4-5: {{}}
  claude-haiku-4-5: {{}}
routes:
  - id: to-messages
    when: {{app: anthropic_messages}}
    use: [messages-backend]
  - id: to-responses
    when: {{app: openai_responses}}
    use: [responses-backend]
  - id: to-chat
    use: [chat-backend]
"""


@dataclass(frozen=True)
class Stand:
    """Where the gateway is, and the keys by the wire of the backend behind them."""

    gateway: GatewayProcess
    upstream: ScriptedUpstream
    keys: Mapping[str, str]


@contextmanager
def standing(home: Path, backs: tuple[str, ...]) -> Iterator[Stand]:
    """Run the upstream and the gateway for a block."""
    with upstream_thread(play) as upstream:
        policy = POLICY.format(url=upstream.url)
        gateway = GatewayProcess(home, policy, {"UPSTREAM_KEY": "sk-scripted"}).start()
        try:
            keys = {back: gateway.new_key("--app", back) for back in backs}
            yield Stand(gateway, upstream, keys)
        finally:
            gateway.stop()
