"""The `sensitivity` section."""

from __future__ import annotations

import msgspec

from gateway.core.sensitivity import Sensitivity
from policies.model.detectors import DetectorStatement
from policies.model.levels import StatedLevel
from policies.model.second_stage import SecondStageStatement
from policies.problems import Place


class SensitivityStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The `sensitivity` section: how findings become a level."""

    at: Place
    default: StatedLevel = StatedLevel(Sensitivity.INTERNAL)
    findings: tuple[tuple[str, StatedLevel], ...] = ()
    weak_pair: Sensitivity | None = None
    detectors: tuple[DetectorStatement, ...] = ()
    second_stage: SecondStageStatement | None = None
