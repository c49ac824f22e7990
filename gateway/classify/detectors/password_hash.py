"""Stored forms of passwords: crypt, bcrypt, Argon2, LDAP, Django and Windows hashes.

Bad: `root:$6$saltsalt$...`. Good: `md5sum 76545a41fc8a1c94ad2897837a7b871b`, `$1 $2`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View

_B64 = r"[A-Za-z0-9./+]"
_SHAPES = (
    re.compile(rf"\$(?:1|apr1)\${_B64}{{0,8}}\${_B64}{{22}}(?![A-Za-z0-9./])"),
    re.compile(rf"\$[56]\$(?:rounds=\d{{1,9}}\$)?{_B64}{{0,16}}\${_B64}{{43,86}}"),
    re.compile(rf"\$2[abxy]?\$\d\d\${_B64}{{53}}"),
    re.compile(rf"\$argon2(?:id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\${_B64}{{8,88}}\${_B64}{{16,128}}"),
    re.compile(r"\$(?:7|scrypt|y|gy|P|H|S|8|9|sha1|md5)\$[A-Za-z0-9./+=,$]{20,160}"),
    re.compile(
        rf"pbkdf2[_:\-]sha(?:1|256|512)[$:]\d{{3,9}}[$:]{_B64}{{6,64}}={{0,2}}"
        rf"[$:]{_B64}{{20,128}}={{0,2}}"
    ),
    re.compile(rf"\{{(?:S?SHA(?:256|512)?|S?MD5|CRYPT)\}}{_B64}{{20,128}}={{0,2}}"),
    re.compile(r"[0-9a-fA-F]{32}:[0-9a-fA-F]{32}(?=:::)"),
)
_ANCHORS = (
    r"\$1\$", r"\$apr1\$", r"\$[56]\$", r"\$2[abxy]\$", r"\$argon2", r"\$scrypt\$", r"\$y\$",
    r"\$[phs]\$[a-z0-9./]", r"\$[89]\$[a-z0-9./]", "pbkdf2[_:-]sha", r"\{ssha", r"\{sha\}",
    r"\{md5\}", r"\{crypt\}", ":::[^:]",
)  # fmt: skip
_WINDOWS = len(_ANCHORS) - 1


def _look(view: View, which: int, start: int, _end: int) -> Found | None:
    begin = start - 65 if which == _WINDOWS else start
    if begin < 0:
        return None
    for shape in _SHAPES:
        match = shape.match(view.text, begin)
        if match is not None:
            return Found("password", *match.span(), 0.9)
    return None


DETECTOR = Detector(name="password_hash", anchors=_ANCHORS, look=_look)
