"""Files in a conversation, for wires that carry text only."""

from __future__ import annotations

import base64
import binascii

from gateway.core.conversation import Document

_TEXTUAL = frozenset({"application/json", "application/xml", "application/yaml"})


def document_text(document: Document) -> str | None:
    """A text file's words under its title; None where the file is not text in UTF-8."""
    if not document.media_type.startswith("text/") and document.media_type not in _TEXTUAL:
        return None
    try:
        text = base64.b64decode(document.content, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return f"{document.title}\n\n{text}" if document.title else text
