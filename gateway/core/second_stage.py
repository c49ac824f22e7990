"""The second stage of privacy: what it is asked, and what its findings change.

Rules of this file:
- findings of a second stage are added to those of the first and take none away, so the level of a
  request can only rise; whatever is proved of a policy is proved for all facts, these among them;
- a second stage that failed leaves the request unjudged, and so restricted, unless policy says
  that the first stage's word then stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from gateway.core.findings import FINDING_TYPES, Finding, SensitivityRules, sensitivity_of
from gateway.core.profile import Profile
from gateway.core.sensitivity import UNKNOWN

#: What `Profile.failed` and stages of time call it, and the route and task of its own calls.
SECOND_STAGE = "second_stage"
#: What becomes of a request when the second stage fails; the first is what nobody has to say.
ON_FAILURE = ("as_restricted", "first_stage_stands")
#: Presidio's names of what is worth asking it for, with our types. Left out are DATE_TIME, URL and
#: UUID, which it finds in most texts, numbers of companies, and telephone and plate patterns that
#: are only loosely checked there.
PRESIDIO_ENTITIES: Mapping[str, str] = MappingProxyType(
    {
        "PERSON": "person",
        "LOCATION": "location",
        "ORGANIZATION": "organization",
        "NRP": "nationality",
        "AGE": "age",
        "EMAIL_ADDRESS": "email",
        "PHONE_NUMBER": "phone",
        "IP_ADDRESS": "ip_address",
        "MAC_ADDRESS": "mac_address",
        "CRYPTO": "crypto_wallet",
        "CREDIT_CARD": "payment_card",
        "IBAN_CODE": "iban",
        "US_BANK_NUMBER": "bank_account",
        "ABA_ROUTING_NUMBER": "routing_number",
        "US_SSN": "us_ssn",
        "US_ITIN": "tax_id",
        "US_PASSPORT": "passport",
        "US_DRIVER_LICENSE": "driver_license",
        "US_MBI": "health_id",
        "MEDICAL_LICENSE": "health_id",
        "UK_NHS": "health_id",
        "UK_NINO": "national_id",
        "UK_PASSPORT": "passport",
        "UK_DRIVING_LICENCE": "driver_license",
        "DE_TAX_ID": "tax_id",
        "DE_ID_CARD": "national_id",
        "DE_PASSPORT": "passport",
        "DE_SOCIAL_SECURITY": "national_id",
        "DE_HEALTH_INSURANCE": "health_id",
        "DE_FUEHRERSCHEIN": "driver_license",
        "ES_NIF": "tax_id",
        "ES_NIE": "national_id",
        "ES_PASSPORT": "passport",
        "IT_FISCAL_CODE": "tax_id",
        "IT_IDENTITY_CARD": "national_id",
        "IT_PASSPORT": "passport",
        "IT_DRIVER_LICENSE": "driver_license",
        "PL_PESEL": "national_id",
        "FI_PERSONAL_IDENTITY_CODE": "national_id",
        "SE_PERSONNUMMER": "national_id",
        "TR_NATIONAL_ID": "national_id",
        "AU_TFN": "tax_id",
        "AU_MEDICARE": "health_id",
        "CA_SIN": "national_id",
        "IN_PAN": "tax_id",
        "IN_AADHAAR": "national_id",
        "IN_PASSPORT": "passport",
        "IN_VOTER": "national_id",
        "SG_NRIC_FIN": "national_id",
        "KR_RRN": "national_id",
        "KR_PASSPORT": "passport",
        "TH_TNIN": "national_id",
        "NG_NIN": "national_id",
        "ZA_ID_NUMBER": "national_id",
        "ZA_PASSPORT": "passport",
    }
)
#: What a model is asked for: every type but the one that means our own register of documents.
ASKED_TYPES = tuple(sorted(FINDING_TYPES - {"fingerprint"}))


class Presidio(msgspec.Struct, frozen=True, kw_only=True):
    """A Presidio analyzer: where it listens, and what it is asked for.

    `language` is its word for the texts' language (`en`); findings below `score` (0..1) are not
    wanted. `entities` are its names with our finding types; no others are asked for.
    """

    url: str
    language: str = "en"
    score: float = 0.5
    entities: tuple[tuple[str, str], ...] = tuple(PRESIDIO_ENTITIES.items())


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What a second stage made of a request; `failure` is empty where its answer is whole."""

    findings: tuple[Finding, ...] = ()
    failure: str = ""


def deepened(
    profile: Profile,
    looked: Looked,
    rules: SensitivityRules,
    *,
    restricts: bool,
    by: str = SECOND_STAGE,
) -> Profile:
    """The profile with further findings; its level is the same or higher.

    Args:
        profile: what the first stage made of the request.
        looked: what the second one did.
        rules: how findings become a level.
        restricts: whether a failure leaves the request unjudged.
        by: who looked, which a failure is called by.
    """
    findings = (*profile.findings, *_new(profile.findings, looked.findings))
    failed = profile.failed
    if looked.failure and restricts:
        failed = (*failed, by)
    level = max(profile.sensitivity, sensitivity_of(findings, rules, profile.floor))
    return msgspec.structs.replace(
        profile, findings=findings, failed=failed, sensitivity=UNKNOWN if failed else level
    )


def _new(known: Iterable[Finding], found: Sequence[Finding]) -> list[Finding]:
    """Those that do not lie within another one of their type; larger ones count, for masks."""
    ordered = [(_place(one), -1) for one in known]
    ordered += [(_place(one), number) for number, one in enumerate(found)]
    ordered.sort()
    new: set[int] = set()
    where, reached = (-1, ""), 0
    for (segment, kind, _, end), number in ordered:
        if (segment, kind) != where:
            where, reached = (segment, kind), 0
        if number >= 0 and -end > reached:
            new.add(number)
        reached = max(reached, -end)
    return [one for number, one in enumerate(found) if number in new]


def _place(one: Finding) -> tuple[int, str, int, int]:
    """For sorting: the longest of those that begin together comes first."""
    return one.segment, one.type, one.start, -one.end
