"""What a cascade asks of an answer: checks by name, some with a number."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from gateway.core.cascade import MOST_SAMPLES, Checks
from policies.document import Mapping, Node, Scalar, Sequence, kind_of
from policies.problems import Problems, did_you_mean
from policies.shapes import WRONG, Amount, Whole

#: Checks that need nothing beside their name.
_PLAIN = ("schema", "tools", "refusal", "truncated")
_NUMBERED: dict[str, tuple[Any, str]] = {
    "logprob": (
        Amount(least=Decimal(-20), most=Decimal(0)),
        "the lowest mean log-probability of the answer's tokens, such as -0.8",
    ),
    "agreement": (
        Whole(least=2, most=MOST_SAMPLES),
        "how many answers are sampled, more than half of which must say the same",
    ),
}


class ChecksShape(msgspec.Struct, frozen=True):
    """A list of names, and of mappings from a name to its number."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The checks."""
        if not isinstance(node, Sequence) or not node.items:
            message = f"checks are a list of names, not {kind_of(node)}"
            hint = "checks: [schema, tools, refusal, truncated, {logprob: -0.8}]"
            problems.add(node.at, message, hint=hint, path=node.path)
            return WRONG
        asked: dict[str, Any] = {}
        for item in node.items:
            for name, found in _named(item, problems):
                if name in asked:
                    problems.add(item.at, f"the check '{name}' stands twice", path=item.path)
                    return WRONG
                asked[name] = found
        return WRONG if any(found is WRONG for found in asked.values()) else Checks(**asked)

    def schema(self) -> dict[str, Any]:
        """An array of names and of objects with one number."""
        numbered = [
            {
                "type": "object",
                "additionalProperties": False,
                "required": [name],
                "properties": {name: {"description": about, **shape.schema()}},
            }
            for name, (shape, about) in _NUMBERED.items()
        ]
        return {
            "type": "array",
            "minItems": 1,
            "items": {"anyOf": [{"enum": list(_PLAIN)}, *numbered]},
        }


def _named(item: Node, problems: Problems) -> list[tuple[str, Any]]:
    """The check of one entry with what it is set to; WRONG where there is no such check."""
    if isinstance(item, Scalar) and item.text in _PLAIN:
        return [(item.text, True)]
    entries = item.entries if isinstance(item, Mapping) else ()
    if len(entries) == 1 and entries[0].key in _NUMBERED:
        name, inner = entries[0].key, entries[0].node
        found = _NUMBERED[name][0].read(inner, problems)
        return [(name, float(found) if isinstance(found, Decimal) else found)]
    text = item.text if isinstance(item, Scalar) else entries[0].key if entries else ""
    hint = did_you_mean(text, (*_PLAIN, *_NUMBERED))
    if text in _NUMBERED:
        hint = f"{{{text}: …}}: {_NUMBERED[text][1]}"
    problems.add(item.at, f"{kind_of(item)} is not a check", hint=hint, path=item.path)
    return [(text or "?", WRONG)]
