"""The `sensitivity` section."""

from __future__ import annotations

import msgspec

from gateway.core.sensitivity import Sensitivity
from policies.problems import Place


class SensitivityStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The `sensitivity` section: how findings become a level."""

    at: Place
    default: Sensitivity = Sensitivity.INTERNAL
    findings: tuple[tuple[str, Sensitivity], ...] = ()
    weak_pair: Sensitivity | None = None
