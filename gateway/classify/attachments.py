"""Takes the text out of attached files: PDF, office documents, archives, and notes in pictures.

Rules of this file:
- everything is bounded: bytes that are unpacked, pages, and members of an archive;
- XML is never parsed, so it cannot expand: its tags are taken off;
- what cannot be read is said to be unread, and then counts as restricted. What a picture shows
  is not read at all, and is for a policy to decide by the need for vision.
"""

from __future__ import annotations

import html
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator

import msgspec
import pypdf
from pypdf.errors import PyPdfError

#: Bytes that are unpacked from one file, pages and members that are read, and characters of text.
MOST_UNPACKED = 32 << 20
MOST_PAGES = 200
MOST_MEMBERS = 400
MOST_TEXT = 8 << 20

_CLOSED = (
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",  # old or encrypted office files
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
)
_PDF, _ZIP = b"%PDF-", b"PK\x03\x04"
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_KNOWN = (_PDF, _ZIP, *_CLOSED, _PNG, _JPEG)
_OFFICE_TEXT = re.compile(
    r"(?:word/(?:document|comments|footnotes|endnotes|header\d*|footer\d*)|"
    r"xl/(?:sharedStrings|workbook|comments\d*|worksheets/[^/]+)|"
    r"ppt/(?:slides|notesSlides|comments)/[^/]+|docProps/\w+|content|meta)\.xml"
)
_OFFICE = re.compile(r"(?:\[Content_Types\]\.xml|mimetype)")
_EMBEDDED = re.compile(r".*/embeddings/|.*\.(?:zip|pdf|docx?|xlsx?|pptx?)$", re.I)
# A paragraph, a cell, a line and a tab end words; runs inside a word do not.
_BREAKS = re.compile(rb"</(?:w:p|a:p|si|row|c|text:p|text:h|table:table-cell)>|<(?:w:br|w:tab)/>")
_TAGS = re.compile(rb"<[^>]*>")
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.I)
_READABLE = re.compile(rb"[\x20-\x7e\xc2-\xf4\x80-\xbf]{6,}")


class Extracted(msgspec.Struct, frozen=True):
    """The text of a file, and whether something in it could not be read."""

    text: str
    unread: bool = False


UNREAD = Extracted("", unread=True)


def extract(raw: bytes) -> Extracted | None:
    """What a file says, by its first bytes; None where it is no kind of file that is known here."""
    if not raw.startswith(_KNOWN):
        return None
    try:
        if raw.startswith(_PDF):
            return _bounded(_pdf(raw))
        if raw.startswith(_ZIP):
            return _bounded(_archive(raw))
        if raw.startswith(_CLOSED):
            return UNREAD
        if raw.startswith(_PNG):
            return Extracted("\n".join(_png_notes(raw)))
        if raw.startswith(_JPEG):
            return Extracted("\n".join(_jpeg_notes(raw)))
    # Such files are made to break their readers, each in its own way.
    except Exception:  # noqa: BLE001 - what cannot be read is unread, whatever the reason
        return UNREAD
    return None


def _bounded(found: Extracted) -> Extracted:
    if len(found.text) <= MOST_TEXT:
        return found
    return Extracted(found.text[:MOST_TEXT], unread=True)


def _pdf(raw: bytes) -> Extracted:
    reader = pypdf.PdfReader(io.BytesIO(raw), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        return UNREAD
    parts = [str(value) for value in (reader.metadata or {}).values()]
    unread = len(reader.pages) > MOST_PAGES or bool(reader.attachments)
    for number in range(min(len(reader.pages), MOST_PAGES)):
        page = reader.pages[number]
        try:
            text = page.extract_text()
        except (PyPdfError, ValueError, KeyError, TypeError, AttributeError):
            text, unread = "", True
        # A page that only shows a picture is a scan.
        if not text.strip() and "/XObject" in (page.get("/Resources") or {}):
            unread = True
        parts.append(text)
    fields = (reader.get_fields() or {}).items()
    parts += [f"{name}: {field.value}" for name, field in fields if field.value is not None]
    return Extracted("\n".join(parts), unread)


def _archive(raw: bytes) -> Extracted:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [one for one in archive.infolist() if not one.is_dir()]
        office = any(_OFFICE.fullmatch(one.filename) for one in members)
        unread = len(members) > MOST_MEMBERS
        parts: list[str] = []
        left = MOST_UNPACKED
        for one in members[:MOST_MEMBERS]:
            parts.append(one.filename)
            if office and not _OFFICE_TEXT.fullmatch(one.filename):
                unread = unread or _EMBEDDED.match(one.filename) is not None
                continue
            with archive.open(one) as file:
                content = file.read(left + 1)
            left -= len(content)
            if left < 0:
                return Extracted("\n".join(parts), unread=True)
            found = _of_xml(content) if office else _member(content)
            unread = unread or found.unread
            parts.append(found.text)
    return Extracted("\n".join(parts), unread)


def _of_xml(content: bytes) -> Extracted:
    if _ENTITIES.search(content) is not None:
        return UNREAD
    plain = _TAGS.sub(b"", _BREAKS.sub(b"\n", content))
    return Extracted(html.unescape(plain.decode("utf-8", "replace")))


def _member(content: bytes) -> Extracted:
    """A file of an archive that is no office document: text, a picture, or unread."""
    if content.startswith((_PNG, _JPEG)):
        return extract(content) or UNREAD
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return UNREAD
    return UNREAD if "\0" in text else Extracted(text)


def _png_notes(raw: bytes) -> Iterator[str]:
    place = len(_PNG)
    while place + 12 <= len(raw):
        (size,) = struct.unpack_from(">I", raw, place)
        kind, body = raw[place + 4 : place + 8], raw[place + 8 : place + 8 + size]
        if kind in (b"tEXt", b"iTXt", b"zTXt"):
            name, _, rest = body.partition(b"\0")
            yield f"{name.decode('latin-1')}: {_note(kind, rest)}"
        elif kind == b"eXIf":
            yield from _readable(body)
        place += 12 + size


def _note(kind: bytes, rest: bytes) -> str:
    if kind == b"tEXt":
        return rest.decode("latin-1")
    if kind == b"zTXt":
        return _inflated(rest[1:]).decode("latin-1")
    packed, text = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    return (_inflated(text) if packed else text).decode("utf-8", "replace")


def _inflated(packed: bytes) -> bytes:
    return zlib.decompressobj().decompress(packed, 1 << 16)


def _jpeg_notes(raw: bytes) -> Iterator[str]:
    """EXIF, XMP and comments stand in segments before the picture itself."""
    place = 2
    while place + 4 <= len(raw) and raw[place] == 0xFF and raw[place + 1] != 0xDA:
        marker, size = raw[place + 1], struct.unpack_from(">H", raw, place + 2)[0]
        if 0xE1 <= marker <= 0xEF or marker == 0xFE:
            yield from _readable(raw[place + 4 : place + 2 + size])
        place += 2 + max(2, size)


def _readable(body: bytes) -> Iterable[str]:
    wide = body[1::2].count(0) > len(body) // 4 and b"UNICODE" in body
    if wide:
        body = body.replace(b"\0", b"")
    return (found.decode("utf-8", "replace") for found in _READABLE.findall(body))
