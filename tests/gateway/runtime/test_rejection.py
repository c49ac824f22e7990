"""The backend's own words for a wrong request."""

from __future__ import annotations

import pytest

from gateway.runtime.rejection import read_rejection


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"error":{"message":"m","code":"c","param":"p"}}', ("m", "c", "p")),
        (b'{"type":"error","error":{"type":"t","message":"m"}}', ("m", None, None)),
        (b'{"error":"m"}', ("m", None, None)),
        (b'{"message":"m","code":400}', ("m", None, None)),
        (b'{"error":{"code":"c"}}', None),
        (b"<html>", None),
        (b"[]", None),
        (b"", None),
    ],
)
def test_the_message_is_found_in_each_known_shape(
    body: bytes, told: tuple[str, str | None, str | None] | None
) -> None:
    """OpenAI's, Anthropic's, and the plainer ones of local servers."""
    assert read_rejection(body) == told
