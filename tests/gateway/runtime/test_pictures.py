"""Reading pictures in a process of its own: what is not read in time is unread."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from gateway.classify.pictures import Picture
from gateway.config.settings import Settings
from gateway.runtime.classifiers import open_pictures
from gateway.runtime.picture_worker import MOST_PIXELS, Shown
from gateway.runtime.pictures import PictureReader, missing_libraries

SSN = "SSN 536-90-4399"
installed = pytest.mark.skipif(
    bool(missing_libraries()), reason="the extra 'ocr' (rapidocr, onnxruntime) is not installed"
)
absent = pytest.mark.skipif(
    not missing_libraries(), reason="the extra 'ocr' is installed, and this is about its absence"
)


def drawn(
    text: str = SSN,
    mode: str = "RGB",
    ink: Any = "black",
    page: Any = "white",
    size: int = 24,
) -> Image.Image:
    """A line of print."""
    font = ImageFont.load_default(size)
    width = int(font.getlength(text)) + size
    made = Image.new(mode, (width, size * 2), page)
    ImageDraw.Draw(made).text((size // 2, size // 2), text, fill=ink, font=font)
    return made


def saved(picture: Image.Image, form: str = "PNG", **more: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **more)
    return out.getvalue()


def picture(raw: bytes) -> Picture:
    return Picture(0, 0, 1, raw)


@pytest.fixture(scope="module")
def reader() -> Iterator[PictureReader]:
    opened = PictureReader(60.0)
    yield opened
    opened.close()


@installed
@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_print_is_read_in_every_format(reader: PictureReader, form: str) -> None:
    """The digits as they stand there."""
    (seen,) = reader.read([picture(saved(drawn(), form))])

    assert not seen.unread
    assert "536-90-4399" in seen.text


@installed
@pytest.mark.parametrize("size", [14, 30, 60])
@pytest.mark.parametrize("text", [SSN, "card 4111 1111 1111 1111"])
def test_words_stay_together_whatever_their_size(
    reader: PictureReader, size: int, text: str
) -> None:
    """A number that is torn apart, or glued to its label, is no number any more."""
    (seen,) = reader.read([picture(saved(drawn(text, size=size)))])

    assert seen.text == text


@installed
@pytest.mark.parametrize("ink", ["black", "white"])
def test_print_on_nothing_is_read_on_either_page(reader: PictureReader, ink: str) -> None:
    """A transparent ground shows whatever is behind it, so both are looked at."""
    (seen,) = reader.read([picture(saved(drawn(mode="RGBA", ink=ink, page=(0, 0, 0, 0))))])

    assert "536-90-4399" in seen.text


@installed
def test_a_photo_that_says_how_it_was_held_is_turned(reader: PictureReader) -> None:
    """EXIF's orientation, as viewers honour it."""
    held = drawn().rotate(90, expand=True)
    exif = held.getexif()
    exif[0x0112] = 6
    (seen,) = reader.read([picture(saved(held, "JPEG", exif=exif))])

    assert "536-90-4399" in seen.text


def moving() -> bytes:
    return saved(drawn("Hello"), "GIF", save_all=True, append_images=[drawn()])


def huge() -> bytes:
    return saved(Image.new("1", (MOST_PIXELS // 1000 + 1, 1000)))


@installed
@pytest.mark.parametrize(
    "made", [moving, huge, lambda: b"\x89PNG\r\n\x1a\n" + bytes(200), lambda: saved(drawn())[:90]],
    ids=["moving", "huge", "broken", "cut"],
)  # fmt: skip
def test_what_cannot_be_read_whole_is_unread(
    reader: PictureReader, made: Callable[[], bytes]
) -> None:
    """And the next picture is read as ever."""
    broken, whole = reader.read([picture(made()), picture(saved(drawn("Good day")))])

    assert broken == Shown("", unread=True)
    assert (whole.unread, whole.text) == (False, "Good day")


@installed
def test_what_is_not_read_in_time_is_unread_and_nobody_waits() -> None:
    """The worker is ended; one with more time reads the picture."""
    reader = PictureReader(0.001)
    (late,) = reader.read([picture(saved(drawn()))])
    child = reader._child
    reader.close()

    assert late.unread
    assert child is None


@installed
def test_a_picture_that_comes_again_is_known(reader: PictureReader) -> None:
    """Also when there is no time to read it, and only under its own bytes."""
    same, other = picture(saved(drawn("Twice"))), picture(saved(drawn("Once")))
    first = reader.read([same])
    reader._seconds, before = 0.0, reader._seconds
    again = reader.read([same, other])
    reader._seconds = before

    assert (first[0].text, again[0].text) == ("Twice", "Twice")
    assert again[1].unread


@absent
def test_without_the_libraries_the_worker_ends_and_pictures_are_unread() -> None:
    """What a gateway would do whose libraries were removed under it."""
    reader = PictureReader(30.0)
    seen = reader.read([picture(b"\x89PNG")])
    reader.close()

    assert seen == [Shown("", unread=True)]


@absent
def test_a_setting_that_cannot_be_followed_stops_the_start() -> None:
    """With what is missing and how to install it."""
    with pytest.raises(ValueError, match=r"needs rapidocr.*requirements-ocr\.txt"):
        open_pictures(Settings(ocr_seconds=5.0))


def test_nothing_is_read_where_nobody_asked_for_it() -> None:
    """The default."""
    assert open_pictures(Settings()) is None
