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
#: Types that tell what a text is about: hiding the words that gave it away does not change that.
TELLING_TYPES = frozenset("medical legal hr fingerprint confidentiality_marker".split())
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


class OwnDetector(msgspec.Struct, frozen=True, kw_only=True):
    """A recogniser that a policy brings along: words, or an RE2 pattern, that are of a type."""

    id: str
    type: str
    terms: tuple[str, ...] = ()
    pattern: str = ""


class SensitivityRules(msgspec.Struct, frozen=True, kw_only=True):
    """How findings become a level: the policy's `sensitivity` section, compiled.

    `levels` maps finding types to levels; a type that is neither there nor weak counts as
    restricted, because an unknown kind of finding must not be the one that leaks. `default` is
    the level of a request without findings. `weak_pair` is the level for two kinds of weak
    findings together, or one weak kind beside a confidential finding; None leaves weak
    findings without effect. `own` are the detectors that the policy brings along.
    """

    levels: Mapping[str, Sensitivity] = msgspec.field(default_factory=default_levels)
    default: Sensitivity = Sensitivity.INTERNAL
    weak_pair: Sensitivity | None = None
    own: tuple[OwnDetector, ...] = ()


def sensitivity_of(
    findings: Iterable[Finding], rules: SensitivityRules, floor: Sensitivity = Sensitivity.PUBLIC
) -> Sensitivity:
    """The sensitivity of a request that holds these findings; masked ones no longer count.

    `floor` is the level that the caller declared; it can raise the result and never lowers it.
    """
    level = max(rules.default, floor)
    levels, weak_pair = rules.levels, rules.weak_pair
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
    if weak_pair is not None and weak and (len(weak) >= 2 or level >= Sensitivity.CONFIDENTIAL):
        level = max(level, weak_pair)
    return level
