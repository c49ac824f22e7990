"""Usage as OpenAI-wire servers report it; see `gateway.wire.openai_usage`."""

from gateway.wire.openai_usage import read_usage

__all__ = ["read_usage"]
