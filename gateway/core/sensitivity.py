"""How sensitive a request is, and how much a deployment is cleared for: one ordered scale."""

from __future__ import annotations

from enum import IntEnum


class Sensitivity(IntEnum):
    """The four ordered levels; a request may only go where `sensitivity <= clearance`."""

    PUBLIC = 0
    INTERNAL = 1
    CONFIDENTIAL = 2
    RESTRICTED = 3

    @property
    def label(self) -> str:
        """The level's name as policies, headers and reports write it (lower case)."""
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Sensitivity:
        """Read a level's name, in any case.

        Raises:
            ValueError: the text names no level; the message lists those that exist.
        """
        try:
            return cls[text.strip().upper()]
        except KeyError:
            known = ", ".join(level.label for level in cls)
            raise ValueError(f"'{text}' is not a sensitivity; use one of: {known}") from None


#: What a request counts as when its sensitivity could not be determined.
UNKNOWN = Sensitivity.RESTRICTED
