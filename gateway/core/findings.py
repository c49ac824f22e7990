"""What a detector found: a type, a place and a confidence, and never the text itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gateway.core.sensitivity import Sensitivity

RESTRICTED_TYPES = frozenset(
    (
        "payment_card iban bank_account routing_number us_ssn national_id tax_id passport "
        "driver_license health_id credential private_key password connection_string "
        "confidentiality_marker"
    ).split()
)
CONFIDENTIAL_TYPES = frozenset(
    (
        "email phone address birth_date ip_address mac_address vehicle_id device_id "
        "crypto_wallet username medical legal hr fingerprint"
    ).split()
)
#: Types that change nothing alone; two kinds of them together may raise the level.
WEAK_TYPES = frozenset(
    "person location organization date age nationality title postcode url project".split()
)
FINDING_TYPES = RESTRICTED_TYPES | CONFIDENTIAL_TYPES | WEAK_TYPES


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a detector recognised.

    `start` and `end` are code-point offsets (end exclusive) into the text of segment number
    `segment` of the request; `confidence` is a probability, 0..1; `masked` says that the bytes
    at this place have really been replaced before anything was sent.
    """

    type: str
    start: int
    end: int
    confidence: float = 1.0
    segment: int = 0
    masked: bool = False


def default_levels() -> dict[str, Sensitivity]:
    """The level that each finding type raises a request to, when the policy says nothing."""
    levels = dict.fromkeys(RESTRICTED_TYPES, Sensitivity.RESTRICTED)
    levels.update(dict.fromkeys(CONFIDENTIAL_TYPES, Sensitivity.CONFIDENTIAL))
    return levels


def sensitivity_of(
    findings: Iterable[Finding],
    levels: Mapping[str, Sensitivity],
    floor: Sensitivity,
    *,
    weak_pair: Sensitivity | None = None,
) -> Sensitivity:
    """The sensitivity of a request that holds these findings; never below `floor`.

    Args:
        findings: what the detectors found; masked ones no longer count.
        levels: finding type to level; a type that is neither here nor weak counts as
            restricted, because an unknown kind of finding must not be the one that leaks.
        floor: the policy's default level, or the higher one that the caller declared.
        weak_pair: the level for two kinds of weak findings together, or one weak kind beside a
            confidential finding; None leaves weak findings without effect.
    """
    level = floor
    weak: set[str] = set()
    for finding in findings:
        if finding.masked:
            continue
        found = levels.get(finding.type)
        if found is not None:
            level = max(level, found)
        elif finding.type in WEAK_TYPES:
            weak.add(finding.type)
        else:
            level = Sensitivity.RESTRICTED
    if weak_pair is not None and weak:
        if len(weak) >= 2 or level >= Sensitivity.CONFIDENTIAL:
            level = max(level, weak_pair)
    return level
