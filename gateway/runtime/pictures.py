"""Reads what pictures show, in a process of its own, within a time.

Rules of this file:
- what is not read in time, or not at all, is said to be unread; the worker is then ended and the
  next picture begins a new one;
- one picture is read at a time, and waiting for one's turn counts;
- what a picture said is remembered for some minutes, in memory alone: conversations send their
  pictures again with each turn.
"""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from threading import Lock
from time import monotonic

import msgspec

from gateway.classify.pictures import Picture
from gateway.runtime.picture_worker import READY, Shown

#: How long the worker may take to load its models, in seconds.
START_SECONDS = 60.0
#: Pictures that are remembered, and for how long; seconds.
MOST_KEPT = 128
KEPT_SECONDS = 600.0
#: The longest answer that is taken from the worker, in bytes.
_MOST_ANSWER = 4 << 20
#: What the extra `ocr` brings.
NEEDED = ("rapidocr", "onnxruntime")
CURE = "python -m pip install --require-hashes -r ops/requirements-ocr.txt"
_UNREAD = Shown("", unread=True)


class PictureReader:
    """Reads pictures for the threads of one gateway worker; started by the first picture."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is for all pictures of one request."""
        self._seconds = seconds
        self._turn = Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._kept: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    def read(self, pictures: Sequence[Picture]) -> list[Shown]:
        """What each picture shows."""
        deadline = monotonic() + self._seconds
        if not self._turn.acquire(timeout=self._seconds):
            return [_UNREAD] * len(pictures)
        try:
            return [self._read(one.raw, deadline) for one in pictures]
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the worker."""
        child, connection = self._child, self._connection
        self._child = self._connection = None
        if connection is not None:
            connection.close()
        if child is not None:
            child.kill()
            child.wait()

    def _read(self, raw: bytes, deadline: float) -> Shown:
        name = sha256(raw).digest()
        kept = self._kept.get(name)
        if kept is not None and kept[0] > monotonic():
            return Shown(kept[1])
        try:
            answer = self._answer(raw, deadline)
        except (OSError, EOFError, msgspec.DecodeError):
            answer = None
        if answer is None:
            self.close()
            return _UNREAD
        if not answer.unread:
            self._keep(name, answer.text)
        return answer

    def _keep(self, name: bytes, text: str) -> None:
        now = monotonic()
        self._kept.pop(name, None)
        self._kept[name] = (now + KEPT_SECONDS, text)
        while len(self._kept) > MOST_KEPT or next(iter(self._kept.values()))[0] <= now:
            self._kept.popitem(last=False)

    def _answer(self, raw: bytes, deadline: float) -> Shown | None:
        left = deadline - monotonic()
        if left <= 0:
            return None
        # Loading the models happens once, and is not counted.
        connection = self._connection or self._start()
        if connection is None:
            return None
        connection.send_bytes(raw)
        if not connection.poll(left):
            return None
        return msgspec.json.decode(connection.recv_bytes(_MOST_ANSWER), type=Shown)

    def _start(self) -> Connection | None:
        ours, theirs = Pipe()
        self._child = subprocess.Popen(
            (sys.executable, "-m", "gateway.runtime.picture_worker", str(theirs.fileno())),
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        self._connection = ours
        if not ours.poll(START_SECONDS) or ours.recv_bytes() != READY:
            return None
        return ours


def obstacle(seconds: float) -> str:
    """Why pictures cannot be read here although they may take some time; empty where they can."""
    missing = missing_libraries() if seconds else []
    if not missing:
        return ""
    return f"FAIRLEAD_OCR_SECONDS needs {' and '.join(missing)}, not installed here: {CURE}"


def missing_libraries() -> list[str]:
    """Which libraries are not installed that reading pictures needs."""
    return [name for name in NEEDED if find_spec(name) is None]
