"""What happens when something that is needed is not there: one answer for each such moment."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

#: Only deployments of one's own serve.
AT_HOME = "self_hosted_only"
REFUSE = "refuse"
#: What may be said of each moment; the first is what happens when nothing is said.
MOMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "redis_down": (REFUSE, "from_slices", AT_HOME),
        "classifier_failed": ("as_restricted", AT_HOME, REFUSE),
        "price_unknown": (REFUSE, "leave_out"),
        "no_candidate": (REFUSE, AT_HOME),
        "budget_exhausted": (REFUSE, AT_HOME, "downgrade", "notify"),
        "provider_down": ("next_candidate", AT_HOME, REFUSE),
    }
)


class Degradation(msgspec.Struct, frozen=True, kw_only=True):
    """A policy's answers, of `MOMENTS`.

    - `redis_down`: holds cannot be placed; `from_slices` spends what the gateway kept of budgets.
    - `classifier_failed`: a judgement of the request is missing, which makes it restricted anyway.
    - `price_unknown`: of a deployment; `refuse` is said to the policy file, not to requests.
    - `no_candidate`: clearance, constraints and abilities leave nothing of the route.
    - `budget_exhausted`: for budgets that do not say it themselves.
    - `provider_down`: a deployment failed or rests; `refuse` lets no other take over.
    """

    redis_down: str = MOMENTS["redis_down"][0]
    classifier_failed: str = MOMENTS["classifier_failed"][0]
    price_unknown: str = MOMENTS["price_unknown"][0]
    no_candidate: str = MOMENTS["no_candidate"][0]
    budget_exhausted: str = MOMENTS["budget_exhausted"][0]
    provider_down: str = MOMENTS["provider_down"][0]

    @property
    def opens_reserve(self) -> bool:
        """Whether self-hosted deployments outside the route may take over without a budget."""
        return AT_HOME in (self.redis_down, self.provider_down)
