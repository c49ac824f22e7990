"""Pictures and files in a conversation."""

from __future__ import annotations

import pytest

from gateway.core.conversation import Document
from gateway.wire.attached import data_url, document_in, file_name, image_at


@pytest.mark.parametrize(
    ("media_type", "title", "name"),
    [
        ("application/pdf", "", "document.pdf"),
        ("application/pdf", "Report", "Report.pdf"),
        ("application/pdf", "report.pdf", "report.pdf"),
        ("text/plain", "", "document.txt"),
        ("text/plain", "main.py", "main.py"),
        ("text/csv", "2026.10", "2026.10.csv"),
        ("application/x-odd", "thing", "thing"),
    ],
)
def test_a_file_is_named_by_its_kind(media_type: str, title: str, name: str) -> None:
    assert file_name(Document(media_type=media_type, content="", title=title)) == name


def test_a_picture_in_a_data_url_is_read_and_written_back() -> None:
    url = "data:image/png;base64,aGk="
    image = image_at(url, "low", "/at", "/at/detail", None)
    assert (image.url, image.media_type, image.content) == ("", "image/png", "aGk=")
    assert data_url(image) == url


def test_detail_that_is_left_open_asks_for_nothing() -> None:
    assert image_at("https://x.example/a.png", "auto", "/at", "/at/detail", None).detail == ""
    assert image_at("https://x.example/a.png", None, "/at", "/at/detail", None).detail == ""


def test_a_file_that_is_no_data_url_is_not_read() -> None:
    assert document_in("file-123", "a.pdf", "/at", None) is None
