"""The policies of the regressions."""

from __future__ import annotations


def servers(*urls: str, retries: int = 0) -> str:
    """OpenAI-like servers in this order, named one, two, …"""
    names = ["one", "two", "three"][: len(urls)]
    deployments = "".join(
        f"""
  {name}:
    adapter: openai_compatible
    base_url: "{url}/v1"
    model: gpt
    clearance: internal
    price: {{input_usd_per_mtok: 2, output_usd_per_mtok: 8}}"""
        for name, url in zip(names, urls, strict=True)
    )
    return f"""
fairlead: 1
defaults: {{retries: {retries}}}
deployments:{deployments}
aliases: {{auto: {{}}}}
routes: [{{id: all, use: [{", ".join(names)}]}}]
"""
