"""What the relays of all wires do alike."""

from __future__ import annotations

import pytest

from gateway.core.failure import AttemptFailure, FailureKind
from gateway.wire.passing import HeldBack, Kept


def test_events_wait_for_content_and_leave_in_order() -> None:
    """What came before the first content goes out with it, and once only."""
    held = HeldBack()

    assert held.release(b"a", has_content=False) == b""
    assert held.release(b"b", has_content=False) == b""
    assert held.release(b"c", has_content=True) == b"abc"
    assert held.release(b"d", has_content=True) == b"d"


def test_text_is_measured_in_what_was_kept_and_scaled_to_the_rest() -> None:
    """A stream of equal blocks is reckoned exactly, however long it is."""
    kept = Kept()
    block = b"x" * 100_000
    assert kept.text_size(len) == 0
    for _ in range(50):
        kept.add(block)

    assert kept.text_size(len) == 50 * len(block)
    assert kept.text_size(lambda kept_block: len(kept_block) // 2) == 25 * len(block)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_after_content_no_failure_is_free(kind: FailureKind) -> None:
    """Model output was paid for, whatever a vendor calls the error that follows it."""
    failure = AttemptFailure(kind=kind, detail="told")
    later = failure.after_content()

    assert not later.free
    assert later.detail == "told"
    assert (later.kind is kind) == (not failure.free)
