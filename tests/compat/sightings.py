"""What is said of attachments, so that a test can tell whether they arrived whole."""

from __future__ import annotations

import base64
import binascii
import json

from tests.compat.answering import Refused


def data_url(url: str) -> str:
    """The media type and size of a data URL, or the address itself.

    Raises:
        Refused: the content is not Base64.
    """
    if not url.startswith("data:"):
        return url
    head, _, content = url.removeprefix("data:").partition(",")
    return sized(head.removesuffix(";base64"), content)


def sized(media_type: str, content: str) -> str:
    """The media type and size of Base64 content.

    Raises:
        Refused: the content is not Base64.
    """
    try:
        return f"{media_type}, {len(base64.b64decode(content, validate=True))} bytes"
    except binascii.Error:
        raise Refused("Invalid base64 data") from None


def encoded(arguments: str) -> None:
    """Check that a call's arguments are a JSON object.

    Raises:
        Refused: they are not.
    """
    try:
        given = json.loads(arguments)
    except ValueError:
        raise Refused(f"Tool call arguments are not JSON: {arguments!r}") from None
    if not isinstance(given, dict):
        raise Refused("Tool call arguments are not an object")
