"""Private key material: PEM, PGP, OpenSSH, PuTTY.

Bad: a `-----BEGIN ... PRIVATE KEY-----` block with a body. Good: only the header in a question.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View

#: The largest key body that is looked through, in characters.
LONGEST_BODY = 24_000

_HEADER = re.compile(r"-{3,5} ?BEGIN[ A-Za-z0-9_]{0,60}PRIVATE KEY(?: BLOCK)?-{0,5}")
_FOOTER = "-----END"
_BODY = re.compile(r"[A-Za-z0-9+/=]{16}")
_FOOTER_LINE = re.compile(r"-{3,5}END[ A-Za-z0-9_]{0,60}-{3,5}")
_MATERIAL = re.compile(r"[A-Za-z0-9+/=\s\\\"':,\-#.]{16,4000}")


def _look(view: View, _which: int, start: int, end: int) -> Found | None:
    text = view.text
    header = _HEADER.search(text, max(0, start - 70), end + 12)
    if header is None or header.end() < end:
        return None
    body = _BODY.search(text, header.end(), header.end() + 300)
    if body is None:
        return None
    footer = text.find(_FOOTER, header.end(), header.end() + LONGEST_BODY)
    if footer < 0:
        material = _MATERIAL.match(text, header.end())
        finish = body.end() if material is None else material.end()
        return Found("private_key", header.start(), finish, 0.95)
    line = _FOOTER_LINE.match(text, footer)
    finish = footer + len(_FOOTER) if line is None else line.end()
    return Found("private_key", header.start(), finish, 0.99)


DETECTOR = Detector(
    name="private_key", anchors=("private key", "private_key-", "putty-user-key-file"), look=_look
)
