"""What happens to an execution and what it asks for: the words between machine and driver."""

from __future__ import annotations

import msgspec

from gateway.core.cascade import Examined
from gateway.core.decision import Candidate
from gateway.core.errors import FairleadError
from gateway.core.failure import AttemptFailure
from gateway.core.usage import Usage

# Events: what happened.


class Begin(msgspec.Struct, frozen=True):
    """The plan is ready."""

    now: float


class HoldPlaced(msgspec.Struct, frozen=True):
    """The money for the attempt is reserved; for less than was planned, if `candidate` says so."""

    hold_id: str
    candidate: Candidate | None = None


class HoldRefused(msgspec.Struct, frozen=True):
    """A budget does not cover the attempt; `message` says which, for the caller."""

    message: str


class HoldLimited(msgspec.Struct, frozen=True):
    """A limit has no room for the attempt; no other candidate helps when it is the caller's."""

    message: str
    retry_after: float | None
    callers: bool


class StoreFailed(msgspec.Struct, frozen=True):
    """The hold could not be placed because the store does not answer.

    `at_home` says that policy lets those serve that are self-hosted.
    """

    at_home: bool = False


class ContentSent(msgspec.Struct, frozen=True):
    """The first content byte of this attempt has gone to the client."""


class AttemptSucceeded(msgspec.Struct, frozen=True):
    """The whole answer came; `examined` is None where nobody looked at it."""

    usage: Usage
    now: float = 0.0
    examined: Examined | None = None


class AttemptFailed(msgspec.Struct, frozen=True):
    """The call failed; `usage` is what was spent as far as it is known."""

    failure: AttemptFailure
    usage: Usage
    now: float


class BackoffOver(msgspec.Struct, frozen=True):
    """The pause before the next try is over."""

    now: float


class ClientGone(msgspec.Struct, frozen=True):
    """The client closed its connection, or the gateway is shutting down."""

    usage: Usage


Event = (
    Begin
    | HoldPlaced
    | HoldRefused
    | HoldLimited
    | StoreFailed
    | ContentSent
    | AttemptSucceeded
    | AttemptFailed
    | BackoffOver
    | ClientGone
)


# Commands: what the driver must do, in order.


class PlaceHold(msgspec.Struct, frozen=True):
    """Reserve the candidate's money."""

    candidate: Candidate
    attempt: int


class StartAttempt(msgspec.Struct, frozen=True):
    """Call the candidate's deployment."""

    candidate: Candidate
    attempt: int


class SettleAttempt(msgspec.Struct, frozen=True):
    """Book what the attempt cost and give the rest of the hold back.

    `check` is the check of a cascade that the answer failed, or that it passed them all or was a
    sample; empty where nothing was checked.
    """

    candidate: Candidate
    attempt: int
    hold_id: str
    usage: Usage
    outcome: str
    free: bool
    check: str = ""


class Wait(msgspec.Struct, frozen=True):
    """Pause, in seconds."""

    seconds: float


class Deliver(msgspec.Struct, frozen=True):
    """Finish the answer of that attempt to the client. Terminal."""

    attempt: int


class Abort(msgspec.Struct, frozen=True):
    """End the begun stream with an error event. Terminal."""

    error: FairleadError


class Refuse(msgspec.Struct, frozen=True):
    """Answer with an error; nothing was sent yet. Terminal."""

    error: FairleadError
    failure: AttemptFailure | None = None


class Abandon(msgspec.Struct, frozen=True):
    """Stop: nobody listens any more. Terminal."""


Command = PlaceHold | StartAttempt | SettleAttempt | Wait | Deliver | Abort | Refuse | Abandon
