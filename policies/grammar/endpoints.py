"""Where a deployment is called and with which secrets and headers."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from policies.document import Mapping, Node, Scalar, kind_of
from policies.model.secrets import SecretReference
from policies.problems import Problems
from policies.shapes import WRONG

_REFERENCE = re.compile(r"(env):([A-Za-z_][A-Za-z0-9_]*)|(file):(\S.*)")
#: What keys of well-known vendors look like, and long runs without spaces.
_LOOKS_SECRET = re.compile(
    r"(sk|pk|rk|fl|hf|gsk|xai|ghp|AKIA|AIza)[-_A-Za-z0-9]{12,}|[A-Za-z0-9+/_=.-]{24,}"
)
_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)
#: Headers that say how one call's bytes are framed and where they go; a policy cannot know them.
_OF_THE_CALL = frozenset(
    "host connection keep-alive content-length content-type content-encoding transfer-encoding "
    "accept-encoding te trailer upgrade expect".split()
)
_ELSEWHERE_HINT = "a deployment's own 'headers' may hold it by reference"
_REFERENCE_HINT = "write env:NAME for a variable of the environment, or file:PATH"


class SecretShape(msgspec.Struct, frozen=True):
    """`env:NAME` or `file:PATH`; the value itself never stands in the file."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The reference; the text of a literal secret is never repeated in the problem."""
        text = node.text.strip() if isinstance(node, Scalar) else ""
        matched = _REFERENCE.fullmatch(text)
        if matched:
            kind = matched.group(1) or matched.group(3)
            return SecretReference(kind, matched.group(2) or matched.group(4), node.at)
        if not text:
            message = f"a secret is env:NAME or file:PATH, not {kind_of(node)}"
        elif text.startswith("env:"):
            message = "the name after 'env:' must be letters, digits and '_'"
        else:
            message = "a secret must not stand in the policy file"
        problems.add(node.at, message, hint=_REFERENCE_HINT, path=node.path)
        return WRONG

    def schema(self) -> dict[str, Any]:
        """A string with the prefix."""
        return {"type": "string", "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:\\S.*)$"}


class HeadersShape(msgspec.Struct, frozen=True):
    """Header names with values; a value that is a secret must be a reference.

    Without `references` only plain text may stand here.
    """

    references: bool = True

    def read(self, node: Node, problems: Problems) -> Any:
        """Pairs of name and plain text or reference."""
        if not isinstance(node, Mapping):
            problems.add(node.at, f"headers are a mapping, not {kind_of(node)}", path=node.path)
            return WRONG
        headers: list[tuple[str, str | SecretReference]] = []
        for entry in node.entries:
            text = entry.node.text if isinstance(entry.node, Scalar) else ""
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", entry.key):
                problems.add(entry.at, f"'{entry.key}' is not a header name")
            elif entry.key.lower() in _OF_THE_CALL:
                message = f"the header '{entry.key}' belongs to the call itself"
                problems.add(entry.at, message, hint="remove it", path=entry.node.path)
            if not text or not text.isprintable():
                message = f"a header's value is text on one line, not {kind_of(entry.node)}"
                problems.add(entry.node.at, message, path=entry.node.path)
            elif _REFERENCE.fullmatch(text) and self.references:
                headers.append((entry.key, SecretShape().read(entry.node, problems)))
            elif _looks_secret(entry.key, text):
                message = f"the header '{entry.key}' looks like a secret, which must not stand here"
                hint = _REFERENCE_HINT if self.references else _ELSEWHERE_HINT
                problems.add(entry.node.at, message, hint=hint, path=entry.node.path)
            else:
                headers.append((entry.key, text))
        return tuple(headers)

    def schema(self) -> dict[str, Any]:
        """An object of strings."""
        return {"type": "object", "additionalProperties": {"type": "string"}}


def _looks_secret(name: str, text: str) -> bool:
    return bool(
        _REFERENCE.fullmatch(text) or _SECRET_HEADER.search(name) or _LOOKS_SECRET.search(text)
    )


class UrlShape(msgspec.Struct, frozen=True):
    """An http or https address without credentials, query or fragment."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The address without a slash at its end."""
        text = node.text if isinstance(node, Scalar) else ""
        try:
            parts = urlsplit(text)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname)
            fine = fine and parts.port != 0 and not re.search(r"\s", text)
        except ValueError:
            fine = False
        if not fine:
            message = f"{kind_of(node)} is not an http or https address"
            hint = "for example http://127.0.0.1:8000/v1"
            problems.add(node.at, message, hint=hint, path=node.path)
            return WRONG
        if parts.username or parts.password or parts.query or parts.fragment:
            message = "an address holds no user, password, query or fragment"
            hint = "use api_key or headers with env:NAME"
            problems.add(node.at, message, hint=hint, path=node.path)
            return WRONG
        return text.rstrip("/")

    def schema(self) -> dict[str, Any]:
        """A string that starts as an address."""
        return {"type": "string", "pattern": "^https?://"}
