"""A level of sensitivity as a file states it."""

from __future__ import annotations

import msgspec

from gateway.core.sensitivity import Sensitivity


class StatedLevel(msgspec.Struct, frozen=True):
    """A level, and why it is right where it lets out more than what is built in; or empty."""

    level: Sensitivity
    because: str = ""
