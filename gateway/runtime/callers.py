"""What a caller says in its headers: its key, a declared sensitivity, its session and tags."""

from __future__ import annotations

import re

from gateway.core.errors import InvalidRequest
from gateway.core.sensitivity import Sensitivity
from gateway.runtime.client import Client

_TAG = re.compile(r"([A-Za-z0-9_.-]{1,64})\s*=\s*([^,;=]{0,128})")
_MOST_TAGS = 16
_LONGEST_SESSION = 200


def bearer_key(client: Client) -> str:
    """The virtual key as sent (OpenAI's or Anthropic's header), or an empty string."""
    authorization = client.header(b"authorization")
    if authorization:
        scheme, _, key = authorization.partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""
    return client.header(b"x-api-key").strip()


def declared_sensitivity(client: Client) -> Sensitivity:
    """The level the caller declares; it can only raise what we find.

    Raises:
        InvalidRequest: the header names no level, so its intention is unknown.
    """
    text = client.header(b"x-fairlead-sensitivity")
    if not text:
        return Sensitivity.PUBLIC
    try:
        return Sensitivity.parse(text)
    except ValueError:
        known = ", ".join(level.label for level in Sensitivity)
        raise InvalidRequest(
            f"The header x-fairlead-sensitivity must be one of: {known}.",
            param="x-fairlead-sensitivity",
        ) from None


def declared_session(client: Client) -> str:
    """The id of the conversation, of the header `x-fairlead-session`; empty when there is none.

    Raises:
        InvalidRequest: it is longer than any id, or not printable.
    """
    text = client.header(b"x-fairlead-session").strip()
    if len(text) > _LONGEST_SESSION or not text.isprintable():
        raise InvalidRequest(
            f"The header x-fairlead-session must be at most {_LONGEST_SESSION} printable "
            "characters.",
            param="x-fairlead-session",
        )
    return text


def declared_tags(client: Client) -> tuple[tuple[str, str], ...]:
    """Tags of the header `x-fairlead-tags: k=v, …`.

    Raises:
        InvalidRequest: a part that is not `name=value`, or more than 16 tags.
    """
    text = client.header(b"x-fairlead-tags")
    if not text.strip():
        return ()
    tags: list[tuple[str, str]] = []
    for part in text.split(","):
        match = _TAG.fullmatch(part.strip())
        if match is None or len(tags) >= _MOST_TAGS:
            raise InvalidRequest(
                "The header x-fairlead-tags must be up to 16 tags as 'name=value, name=value'.",
                param="x-fairlead-tags",
            )
        tags.append((match[1], match[2].strip()))
    return tuple(tags)
