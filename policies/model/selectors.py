"""Deployments by name or by what they are."""

from __future__ import annotations

import msgspec

from gateway.core.sensitivity import Sensitivity
from policies.problems import Place


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """Deployments by name or by what they are; everything that is given must hold.

    `clearance` is the least clearance and `min_context` the smallest context window in tokens;
    None and empty tuples ask nothing.
    """

    at: Place
    names: tuple[tuple[str, Place], ...] = ()
    providers: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    self_hosted: bool | None = None
    clearance: Sensitivity | None = None
    zones: tuple[str, ...] = ()
    min_context: int | None = None
