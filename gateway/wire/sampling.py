"""What each wire takes of the sampling parameters, in one table.

A parameter means the same number everywhere (temperature 1 is the model's own distribution on
every wire), so a value is never scaled: it is clamped where a wire's range is narrower, and left
out where a wire has no such parameter. Both are named as lossy; a value that asks for nothing
(temperature 1, a penalty of 0) is left out in silence there.

Sources, read 2026-11: platform.openai.com/docs/api-reference/chat, platform.claude.com/docs/en/api,
github.com/ollama/ollama/blob/main/docs/modelfile.md and the completions reference of vLLM and
llama.cpp's server.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.conversation import Conversation


class Bound(msgspec.Struct, frozen=True):
    """One parameter on one wire: its name there and the range that is taken, ends included."""

    name: str
    low: float
    high: float


#: The neutral parameters, in the order in which they are written.
PARAMETERS = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed")
#: Values that ask for nothing.
_NEUTRAL: Mapping[str, float] = MappingProxyType(
    {"temperature": 1, "top_p": 1, "top_k": 0, "frequency_penalty": 0, "presence_penalty": 0}
)
_SEEDS = (-(2**63), 2**63 - 1)

#: Which parameters a wire takes, by wire and neutral name.
BOUNDS: Mapping[str, Mapping[str, Bound]] = MappingProxyType(
    {
        "openai_chat": {
            "temperature": Bound("temperature", 0, 2),
            "top_p": Bound("top_p", 0, 1),
            "frequency_penalty": Bound("frequency_penalty", -2, 2),
            "presence_penalty": Bound("presence_penalty", -2, 2),
            "seed": Bound("seed", *_SEEDS),
        },
        "openai_responses": {
            "temperature": Bound("temperature", 0, 2),
            "top_p": Bound("top_p", 0, 1),
        },
        # The version of 2026 refuses sampling parameters; this is what 2023-06-01 takes.
        "anthropic_messages": {},
        "anthropic_messages_2023_06_01": {
            "temperature": Bound("temperature", 0, 1),
            "top_p": Bound("top_p", 0, 1),
            "top_k": Bound("top_k", 0, 2**31 - 1),
        },
        "ollama_chat": {
            "temperature": Bound("temperature", 0, 2),
            "top_p": Bound("top_p", 0, 1),
            "top_k": Bound("top_k", 0, 2**31 - 1),
            "frequency_penalty": Bound("frequency_penalty", -2, 2),
            "presence_penalty": Bound("presence_penalty", -2, 2),
            "seed": Bound("seed", -(2**31), 2**31 - 1),
        },
        "text_completion": {
            "temperature": Bound("temperature", 0, 2),
            "top_p": Bound("top_p", 0, 1),
            "frequency_penalty": Bound("frequency_penalty", -2, 2),
            "presence_penalty": Bound("presence_penalty", -2, 2),
            "seed": Bound("seed", *_SEEDS),
        },
    }
)


def sampled(conversation: Conversation, wire: str) -> tuple[dict[str, Any], list[str]]:
    """The wire's own fields for what was asked, and the pointers of what they do not say."""
    bounds = BOUNDS[wire]
    fields: dict[str, Any] = {}
    lossy: list[str] = []
    for parameter in PARAMETERS:
        asked = getattr(conversation, parameter)
        if asked is None:
            continue
        bound = bounds.get(parameter)
        if bound is None:
            if asked != _NEUTRAL.get(parameter):
                lossy.append(conversation.origin(parameter))
            continue
        taken = min(max(asked, bound.low), bound.high)
        if taken != asked:
            lossy.append(conversation.origin(parameter))
        fields[bound.name] = taken
    return fields, lossy
