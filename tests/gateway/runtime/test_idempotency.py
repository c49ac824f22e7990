"""What makes two requests the same, and which answers are final."""

from __future__ import annotations

import pytest

from gateway.core.principal import Principal
from gateway.runtime.client import Tape
from gateway.runtime.idempotency import fingerprint_of, is_final


def principal(**fields: str) -> Principal:
    known = {"org": "acme", "team": "support", "app": "", "user": "", "key_id": "k1"}
    return Principal(**(known | fields))  # type: ignore[arg-type]


def test_caller_path_and_bytes_make_the_request() -> None:
    """A space in the body is another request; parts do not run into each other."""
    ask = (principal(), "/v1/completions", b'{"a":1}')
    others = [
        (principal(key_id="k2"), *ask[1:]),
        (principal(team="support2"), *ask[1:]),
        (principal(team="suppor", app="t"), *ask[1:]),
        (ask[0], "/v1/embeddings", ask[2]),
        (ask[0], ask[1], b'{"a": 1}'),
    ]

    assert fingerprint_of(*ask) == fingerprint_of(*ask)
    assert len({fingerprint_of(*one) for one in (ask, *others)}) == 6


@pytest.mark.parametrize(
    ("outcome", "status", "final"),
    [
        ("served", 200, True),
        ("refused", 400, True),
        ("refused", 403, True),
        ("failed", 422, True),
        ("failed", 200, False),
        ("failed", 502, False),
        ("refused", 429, False),
        ("refused", 409, False),
        ("cancelled", 499, False),
        ("", 0, False),
    ],
)
def test_only_what_would_be_the_same_again_is_final(outcome: str, status: int, final: bool) -> None:
    """A stream that broke has status 200 and is none."""
    assert is_final(outcome, status) is final


def test_a_tape_forgets_what_is_too_large_and_says_so_in_time() -> None:
    """The header is only possible where the length is known; memory is bounded either way."""
    whole, streamed = Tape(10), Tape(10)
    headers = whole.begin(200, [(b"content-length", b"11")])
    same = streamed.begin(200, [(b"content-type", b"text/event-stream")])
    for _ in range(3):
        streamed.add(b"12345")

    assert (b"x-fairlead-idempotent-kept", b"false") in headers
    assert (b"x-fairlead-idempotent-kept", b"false") not in whole.headers
    assert same == [(b"content-type", b"text/event-stream")]
    assert not streamed.fits
    assert streamed.body == b""
