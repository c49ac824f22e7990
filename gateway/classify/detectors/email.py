"""E-mail addresses of people; role accounts of example domains are not personal.

Bad: `write to jane.doe@halvorsen.com`. Good: `noreply@example.com bounces`.
"""

from __future__ import annotations

import re
import string

from gateway.classify.detectors.base import Detector, Found, View

_LOCAL = f"{string.ascii_letters}{string.digits}!#$%&*+/=?^_{{|}}~.'-"
_LONGEST_LOCAL = 64
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9?](?:[A-Za-z0-9?-]{0,61}[A-Za-z0-9?])?\.){1,6}[A-Za-z][A-Za-z0-9-]{1,23}"
)
# Reserved for documentation (RFC 2606, RFC 6761).
_RESERVED = re.compile(
    r"(?:^|\.)(?:example\.(?:com|org|net|edu|test)|example|test|invalid|localhost)$"
)
_ROLE = re.compile(
    r"^(?:no-?reply|do-?not-?reply|mailer-daemon|postmaster|root|git|user|username|someone|"
    r"name|your-?name|your-?email|you|me|email|foo|bar|test|example|info@example)$"
)
_NOT_A_DOMAIN = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|py|js|ts|css|html?|json|ya?ml|md|txt|sh|so)$"
)
_PLACEHOLDER_DOMAIN = re.compile(
    r"^(?:(?:your|my|some)?-?(?:domain|company|email|mail|site|host)|foo|bar|acme|xyz|abc)\."
)


_KEY_OR_PATH = re.compile(r"[=/&?{|]")


def _look(view: View, _which: int, start: int, end: int) -> Found | None:
    text = view.text
    at = start + 1
    domain = _DOMAIN.match(text, at + 1)
    if domain is None:
        return None
    lead = text[max(0, at - _LONGEST_LOCAL) : at]
    name = lead[len(lead.rstrip(_LOCAL)) :].lstrip("'./=?&|{#*!+-")
    if name.endswith("."):
        return None
    # What stands before "=" or "/" is a key or a path, not part of the name.
    name = _KEY_OR_PATH.split(name)[-1]
    if not name:
        return None
    host = view.lower[at + 1 : domain.end()]
    finish = domain.end()
    if _RESERVED.search(host) is not None and _documented(name.lower(), host):
        return None
    if name.lower() in ("git", "noreply", "no-reply", "donotreply", "do-not-reply"):
        return None
    if _NOT_A_DOMAIN.search(host) is not None:
        return None
    if _ROLE.match(name.lower()) is not None and _PLACEHOLDER_DOMAIN.match(host) is not None:
        return None
    return Found("email", at - len(name), finish, 0.97)


def _documented(name: str, host: str) -> bool:
    # A personal-looking name at example.net is still how people paste real address books.
    return "." not in name or host.startswith("example.com")


DETECTOR = Detector(name="email", anchors=(r"[^\s@]@[a-z0-9?][a-z0-9?.\-]",), look=_look)
