"""Signatures of other vendors' reasoning, carried in the field that this API has for its own.

`encrypted_content` of a reasoning item is opaque to clients, who hand it back in the next turn.
What a backend of another wire signed rides in it behind a prefix, so that it goes back to such a
backend alone.
"""

from __future__ import annotations

#: What the encrypted content of reasoning that came through a translation begins with.
OURS = "fairlead-signature:"


def seal(signature: str) -> str:
    """A signature as encrypted content."""
    return OURS + signature


def signature_of(item: object) -> str:
    """The signature that a reasoning item carries; empty where the vendor's own content stands."""
    content = item.get("encrypted_content") if isinstance(item, dict) else None
    if isinstance(content, str) and content.startswith(OURS):
        return content.removeprefix(OURS)
    return ""


def is_ours(item: object) -> bool:
    """Whether this is a reasoning item that another vendor signed."""
    return isinstance(item, dict) and item.get("type") == "reasoning" and bool(signature_of(item))
