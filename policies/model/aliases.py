"""One entry of `aliases`."""

from __future__ import annotations

import msgspec

from policies.problems import Place


class AliasStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `aliases`: a model name that client apps may ask for."""

    at: Place
    name: str
    description: str = ""
