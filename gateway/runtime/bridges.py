"""Which bridge lies between a client's wire and a backend's."""

from __future__ import annotations

from gateway.wire.base import Bridge
from gateway.wire.openai_chat.relay import PassThrough


def bridge_between(front: str, back: str) -> Bridge:
    """The bridge for one pair of wires.

    Raises:
        ValueError: no bridge leads from the one to the other.
    """
    if front == back == "openai_chat":
        return PassThrough()
    raise ValueError(f"no bridge leads from {front} to {back}")
