"""What a policy's degradation takes away, as constraints that are asked with all others."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gateway.core.degradation import AT_HOME, MOMENTS, REFUSE, Degradation
from policies.compiled import Constraint, Matcher, Seen, Truth
from policies.matchers import ALWAYS
from policies.model.conditions import Is
from policies.model.degradation import DegradationStatement
from policies.model.file import PolicyFile
from policies.resolve import Resolved

#: Reason ids; no statement of a file can have one, for theirs have no underscore.
CLASSIFIER_FAILED = "classifier_failed"
PRICE_UNKNOWN = "price_unknown"
_EARLIER_WORDS = {"strict": REFUSE, "lenient": "from_slices"}


def degradation_of(policy: PolicyFile) -> Degradation:
    """What the file says of each moment, with the safe answer where it says nothing."""
    written: DegradationStatement = policy.degradation
    said = {moment: getattr(written, moment) or MOMENTS[moment][0] for moment in MOMENTS}
    if not written.redis_down and policy.redis_down:
        said["redis_down"] = _EARLIER_WORDS[policy.redis_down]
    return Degradation(**said)


def safeguards_of(
    degradation: Degradation, resolved: Sequence[Resolved], unpriced: Collection[str]
) -> tuple[Constraint, ...]:
    """The constraints that failures bring.

    Args:
        degradation: the policy's answers.
        resolved: its deployments.
        unpriced: the names of those that nobody knows the price of.
    """
    found: list[Constraint] = []
    if unpriced:
        because = "Nobody knows what it costs."
        found.append(
            Constraint(id=PRICE_UNKNOWN, because=because, when=ALWAYS, excluded=frozenset(unpriced))
        )
    if degradation.classifier_failed == AT_HOME:
        outside = frozenset(one.name for one in resolved if not one.self_hosted)
        because = "The request could not be judged, so it stays at home."
        found.append(
            Constraint(id=CLASSIFIER_FAILED, because=because, when=_FAILED, excluded=outside)
        )
    elif degradation.classifier_failed == REFUSE:
        because = "The request could not be judged, so it is not sent anywhere. Try again."
        found.append(
            Constraint(
                id=CLASSIFIER_FAILED, because=because, when=_FAILED, blocks=True, message=because
            )
        )
    return tuple(found)


def _has_failed(seen: Seen) -> Truth:
    return seen.classifier_failed


_FAILED = Matcher(
    kind="term",
    words="a classifier failed",
    holds=_has_failed,
    fact=CLASSIFIER_FAILED,
    test=Is(True),
)
