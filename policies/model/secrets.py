"""Where a secret is kept: the file itself never holds one."""

from __future__ import annotations

import msgspec

from policies.problems import Place


class SecretReference(msgspec.Struct, frozen=True):
    """Where a secret is kept: `env:NAME` or `file:PATH`."""

    kind: str
    name: str
    at: Place = Place()

    @property
    def text(self) -> str:
        """The reference as the file writes it."""
        return f"{self.kind}:{self.name}"
