"""The process that reads what pictures show, by RapidOCR: `python -m … FD`, started by its reader.

It is apart because such a library takes more than a gigabyte at times, cannot be interrupted and
parses bytes of strangers: here it is bounded and can be ended. Its models come with its wheel, so
nothing is fetched.
"""

from __future__ import annotations

import io
import os
import resource
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection

import msgspec

#: The largest picture that is taken apart, in pixels.
MOST_PIXELS = 40_000_000
#: Larger pictures are made smaller, in pixels; and smaller ones get margins, as print has them.
LONGEST_SIDE, SHORTEST_SIDE = 2_000, 320
#: Address space of this process, in bytes.
MOST_MEMORY = 6 << 30
#: What the worker says once its models are loaded.
READY = b"ready"
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")


class Shown(msgspec.Struct, frozen=True):
    """The text in a picture, a line of it on each line; `unread` where it could not be read."""

    text: str
    unread: bool = False


def open_reading() -> Callable[[bytes], Shown]:
    """Load the models, for one thread.

    Raises:
        ImportError: the extra `ocr` is not installed.
    """
    import numpy as np
    from PIL import Image, ImageOps
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            # Enlarging a small picture, as is usual here, tears its words apart and takes seconds.
            "Det.limit_type": "max",
            "Det.limit_side_len": LONGEST_SIDE,
            "Global.max_side_len": LONGEST_SIDE,
        }
    )

    def lines(picture: Image.Image) -> list[str]:
        page = picture.convert("RGB")
        if min(page.size) < SHORTEST_SIDE:
            width, height = (max(side, SHORTEST_SIDE) for side in page.size)
            margins = Image.new("RGB", (width, height), page.getpixel((0, 0)))
            margins.paste(page, ((width - page.width) // 2, (height - page.height) // 2))
            page = margins
        found = engine(np.asarray(page)[:, :, ::-1])
        return list(getattr(found, "txts", None) or ())

    def read(raw: bytes) -> Shown:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MOST_PIXELS or getattr(opened, "n_frames", 1) > 1:
                return Shown("", unread=True)
            picture = ImageOps.exif_transpose(opened)
            return Shown("\n".join(line for one in _views(picture) for line in lines(one)))

    def _views(picture: Image.Image) -> list[Image.Image]:
        """The picture as it is seen: what is transparent lets a light or a dark page through."""
        if not picture.has_transparency_data:
            return [picture]
        full = picture.convert("RGBA")
        if full.getchannel("A").getextrema() == (255, 255):
            return [full]
        pages = (Image.new("RGBA", full.size, colour) for colour in ("white", "black"))
        return [Image.alpha_composite(page, full) for page in pages]

    return read


def serve(connection: Connection) -> None:
    """Answer one picture after the other, until whoever asks has gone."""
    read = open_reading()
    connection.send_bytes(READY)
    while True:
        try:
            raw = connection.recv_bytes()
        except EOFError:
            return
        try:
            answer = read(raw)
        # Such bytes are made to break their readers, each in its own way.
        except Exception:  # noqa: BLE001 - what cannot be read is unread, whatever the reason
            answer = Shown("", unread=True)
        connection.send_bytes(msgspec.json.encode(answer))


def main() -> None:
    """Run as a child of a gateway; quietly, for errors could quote a picture."""
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    main()
