"""Files that are attached to requests."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from gateway.classify import attachments
from gateway.classify.attachments import UNREAD, Extracted, extract
from gateway.classify.classifier import Classifier
from gateway.core.findings import SensitivityRules
from gateway.core.sensitivity import Sensitivity

CARD = "4111 1111 1111 1111"


def pdf(*lines: str, password: str = "", picture: bool = False) -> bytes:
    """A document with a page for every line."""
    writer = pypdf.PdfWriter()
    writer.add_metadata({"/Author": "Jana Novak"})
    for line in lines:
        page = writer.add_blank_page(300, 300)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        named = {NameObject("/F1"): writer._add_object(font)}
        resources = DictionaryObject({NameObject("/Font"): DictionaryObject(named)})
        if picture:
            resources[NameObject("/XObject")] = DictionaryObject()
        page[NameObject("/Resources")] = resources
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 20 200 Td ({line}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def archive(**members: str | bytes) -> bytes:
    """A ZIP file; two underscores in a name stand for a slash, a last one for the dot."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name.replace("__", "/").replace("_", "."), content)
    return file.getvalue()


def office(**members: str | bytes) -> bytes:
    """An office document with what all of them have."""
    return archive(mimetype="application/x", **members)


def png(**notes: str) -> bytes:
    """A picture with notes."""
    chunks = [b"IHDR" + b"\0" * 13]
    chunks += [b"tEXt" + k.encode() + b"\0" + v.encode("latin-1") for k, v in notes.items()]
    packed = zlib.compress(b"by " + CARD.encode())
    chunks += [b"zTXt" + b"Packed\0\0" + packed, b"IDAT" + b"\0" * 40]
    parts = [struct.pack(">I", len(one) - 4) + one + b"\0" * 4 for one in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg(comment: bytes) -> bytes:
    """A picture with a comment."""
    segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    return b"\xff\xd8" + segment + b"\xff\xda\0\2" + b"\1" * 40


READ = {
    "PDF": pdf("first page", f"the card is {CARD}"),
    "Word": office(
        word__document_xml=f"<w:p><w:t>card 4111 11</w:t><w:t>11 {CARD[10:]}</w:t></w:p>"
    ),
    "Excel": office(xl__sharedStrings_xml=f"<si><t>card</t></si><si><t>{CARD}</t></si>"),
    "PowerPoint": office(ppt__slides__slide1_xml=f"<a:p>card {CARD}</a:p>"),
    "OpenDocument": office(content_xml=f"<text:p>card&#32;{CARD}</text:p>"),
    "ZIP": archive(notes_txt=f"card {CARD}"),
    "PNG": png(Comment=f"card {CARD}"),
    "JPEG": jpeg(f"card {CARD}".encode()),
}


@pytest.mark.parametrize("raw", READ.values(), ids=READ)
def test_text_of_files_is_read(raw: bytes):
    """Each kind gives what it says, and nothing of it is unread."""
    found = extract(raw)

    assert found is not None
    assert CARD in found.text
    assert not found.unread


@pytest.mark.parametrize("raw", READ.values(), ids=READ)
def test_a_card_in_an_attached_file_is_found(
    raw: bytes, classifier: Classifier, rules: SensitivityRules
):
    """It stands where the file stands."""
    text = f"data:application/octet-stream;base64,{base64.b64encode(raw).decode()}"
    profile = classifier.judge_text(text, rules)

    assert "payment_card" in [one.type for one in profile.findings]
    assert profile.failed == ()


CLOSED = {
    "a PDF under a password": pdf("secret", password="secret"),
    "a scanned page": pdf("", picture=True),
    "a broken PDF": READ["PDF"][:300],
    "a broken archive": READ["ZIP"][:60],
    "an old office file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 60,
    "an archive with a program": archive(run_exe=b"MZ\0\0\xff\xfe" * 20),
    "a document inside a document": office(word__embeddings__other_xlsx=b"PK"),
    "a document with entities": office(content_xml='<!DOCTYPE x [<!ENTITY a "b">]><p>&a;</p>'),
}


@pytest.mark.parametrize("raw", CLOSED.values(), ids=CLOSED)
def test_what_cannot_be_read_is_restricted(
    raw: bytes, classifier: Classifier, rules: SensitivityRules
):
    """Nobody knows what is in it, so it stays."""
    found = extract(raw)
    profile = classifier.judge_text(base64.b64encode(raw).decode(), rules)

    assert found is not None
    assert found.unread
    assert profile.failed == ("attachment",)
    assert profile.sensitivity == Sensitivity.RESTRICTED


def test_harmless_files_change_nothing(classifier: Classifier, rules: SensitivityRules):
    """A file that was read whole and holds nothing is as harmless as its text."""
    raw = base64.b64encode(pdf("The weather will be fine.")).decode()

    assert classifier.judge_text(raw, rules).sensitivity == rules.default


def test_unpacking_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """A small file that would grow beyond all bounds is not read to its end."""
    monkeypatch.setattr(attachments, "MOST_UNPACKED", 1 << 20)
    bomb = archive(a_txt=b"0" * (8 << 20), b_txt=b"1")
    found = extract(bomb)

    assert len(bomb) < 100_000
    assert found is not None
    assert found.unread
    assert len(found.text) < 1 << 20


@settings(deadline=None, max_examples=150)
@given(
    raw=st.sampled_from([*READ.values()]),
    cut=st.integers(1, 2000),
    flipped=st.lists(st.tuples(st.integers(8, 4000), st.integers(0, 255)), max_size=8),
)
def test_damaged_files_never_break_anything(raw: bytes, cut: int, flipped: list[tuple[int, int]]):
    """Whatever was done to a file, an answer comes."""
    damaged = bytearray(raw)
    for place, byte in flipped:
        if place < len(damaged):
            damaged[place] = byte
    found = extract(bytes(damaged[:-cut]) if cut < len(damaged) - 8 else bytes(damaged))

    assert found is None or isinstance(found, Extracted)


@pytest.mark.parametrize("raw", [b"", b"plain text", b"PK\1\2", b"GIF89a" + b"\0" * 30])
def test_other_bytes_are_no_attachment(raw: bytes):
    """They are decoded as before, if at all."""
    assert extract(raw) is None


def test_unread_says_nothing():
    """There is no text in it that could be taken for all of it."""
    assert Extracted("", unread=True) == UNREAD
