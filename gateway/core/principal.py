"""Who is calling: what a virtual key resolves to."""

from __future__ import annotations

import msgspec

from gateway.core.sensitivity import Sensitivity


class KeyBudget(msgspec.Struct, frozen=True, kw_only=True):
    """A money cap that was put on one virtual key when it was made."""

    cap_nanousd: int
    per: str = "month"


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """The caller: one virtual key and the scopes it belongs to.

    `models` lists the aliases or deployments the key may ask for (empty: all);
    `max_sensitivity` is the most sensitive request that the key may send at all.
    """

    key_id: str
    org: str = "default"
    team: str = "default"
    app: str = ""
    user: str = ""
    models: tuple[str, ...] = ()
    max_sensitivity: Sensitivity = Sensitivity.RESTRICTED
    tags: tuple[tuple[str, str], ...] = ()
    budget: KeyBudget | None = None

    def scopes(self) -> tuple[str, ...]:
        """Scope names from widest to narrowest, as budgets and reports write them."""
        named = (
            ("org", self.org),
            ("team", self.team),
            ("app", self.app),
            ("key", self.key_id),
            ("user", self.user),
        )
        return tuple(f"{kind}/{name}" for kind, name in named if name)
