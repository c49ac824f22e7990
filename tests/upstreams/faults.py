"""Scripts of servers that fail, whatever format they speak."""

from __future__ import annotations

from tests.upstreams.scripted import Script


def hangs() -> Script:
    """Takes the request and never answers."""
    return Script(status=0, ending="hang")


def drops() -> Script:
    """Takes the request and closes the connection without a word."""
    return Script(status=0)


def cuts_plain(body: bytes = b'{"id": "chatcmpl-', *, chunked: bool = False) -> Script:
    """Breaks off inside a body that was promised to be longer."""
    return Script(pieces=(body,), framing="chunked" if chunked else "length", ending="cut")


def garbage(body: bytes = b"<html>not json</html>") -> Script:
    """Says 200 and sends something that is no answer."""
    return Script(pieces=(body,))


def empty() -> Script:
    """Says 200 and sends no body."""
    return Script()


def redirects(location: str) -> Script:
    """Tries to send the caller elsewhere."""
    return Script(status=307, headers=(("location", location),))
