"""Deployments by name or by what they are."""

from __future__ import annotations

import msgspec

from gateway.core.sensitivity import Sensitivity
from policies.problems import Place


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """Deployments by name or by what they are; everything that is given must hold.

    `clearance` is the least clearance and `min_context` the smallest context window in tokens;
    None and empty tuples ask nothing. `licence` asks what the model's licence allows, and
    `best_at` for the best of those that fit: both by the model's profile.
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
    licence: str = ""
    best_at: str = ""
