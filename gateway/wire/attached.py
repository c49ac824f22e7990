"""Pictures and files in a conversation: data URLs, names, and words for wires of text only."""

from __future__ import annotations

import base64
import binascii
import re

from gateway.core.conversation import CacheMark, Document, Image

_TEXTUAL = frozenset({"application/json", "application/xml", "application/yaml"})
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[^;,]+)*;base64,(.*)", re.DOTALL)
_OFFICE = "application/vnd.openxmlformats-officedocument"
#: The suffix of a file's name by media type.
_SUFFIXES = {
    "application/json": ".json",
    "application/pdf": ".pdf",
    "application/xml": ".xml",
    f"{_OFFICE}.presentationml.presentation": ".pptx",
    f"{_OFFICE}.spreadsheetml.sheet": ".xlsx",
    f"{_OFFICE}.wordprocessingml.document": ".docx",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
}


def image_at(
    url: str, detail: object, pointer: str, detail_pointer: str, mark: CacheMark | None
) -> Image:
    """The picture at a URL, or in it; `detail` is how closely to look, in OpenAI's words."""
    asked = detail if isinstance(detail, str) and detail != "auto" else ""
    inline = _DATA_URL.fullmatch(url)
    return Image(
        url="" if inline else url,
        media_type=inline[1] if inline else "",
        content=inline[2] if inline else "",
        detail=asked,
        pointer=pointer,
        detail_pointer=detail_pointer if asked else "",
        cache=mark,
    )


def document_in(
    url: str, filename: object, pointer: str, mark: CacheMark | None
) -> Document | None:
    """The file in a data URL; None when it is none."""
    inline = _DATA_URL.fullmatch(url)
    if inline is None:
        return None
    return Document(
        media_type=inline[1],
        content=inline[2],
        title=filename if isinstance(filename, str) else "",
        pointer=pointer,
        cache=mark,
    )


def data_url(part: Image | Document) -> str:
    """Where the picture or file is, or the whole of it as a data URL."""
    return part.url or f"data:{part.media_type};base64,{part.content}"


def file_name(document: Document) -> str:
    """A name that tells the file's kind, as servers want it: its title with the type's suffix."""
    suffix = _SUFFIXES.get(document.media_type, "")
    title = document.title or "document"
    # Plain text has many suffixes of its own (notes.rst, main.py).
    named = title.endswith(suffix) or (suffix == ".txt" and "." in title)
    return title if named else f"{title}{suffix}"


def document_text(document: Document) -> str | None:
    """A text file's words under its title; None where the file is not text in UTF-8."""
    if not document.media_type.startswith("text/") and document.media_type not in _TEXTUAL:
        return None
    try:
        text = base64.b64decode(document.content, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return f"{document.title}\n\n{text}" if document.title else text
