"""What policy decided about a request, and the plan that was made of the decision."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.cascade import Cascade, Checks
from gateway.core.deployment import Deployment
from gateway.core.output_length import Lengths
from gateway.core.principal import Principal
from gateway.core.profile import Profile
from gateway.core.sensitivity import UNKNOWN, Sensitivity
from gateway.core.speed import Speed
from gateway.core.targets import Aim


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a policy's conditions can ask about one request.

    `now` (epoch seconds) comes from the caller of the pure core; `budget_used` is the largest
    used share, 0.., over the principal's budgets. `api` is the API that was called: chat,
    responses, messages, completions or embeddings. `request_id` decides what is drawn by chance.
    `session` is the conversation's id, empty where there is none; `speeds` are the measured ones
    by deployment; `kept` says by route which deployment last served who sticks to one, and
    `thresholds` by route from which difficulty on its strong deployment comes first.
    `shifts` say by deployment what use has taught about its quality for the task, in log-odds,
    and `answers` from how many answers; `lengths` what is known of the lengths of its answers to
    the task. They are None where the policy did not ask.
    """

    requested_model: str
    principal: Principal
    profile: Profile
    stream: bool = False
    choices: int = 1
    max_output_tokens: int | None = None
    now: float = 0.0
    budget_used: float = 0.0
    tags: tuple[tuple[str, str], ...] = ()
    api: str = "chat"
    request_id: str = ""
    session: str = ""
    speeds: Mapping[str, Speed] | None = None
    kept: Mapping[str, str] | None = None
    thresholds: Mapping[str, float] | None = None
    shifts: Mapping[str, float] | None = None
    answers: Mapping[str, float] | None = None
    lengths: Mapping[str, Lengths] | None = None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was decided: the id of the statement that did it, and its own words."""

    id: str
    kind: str
    because: str = ""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment that may not serve this request, and the reason's id with a sentence."""

    deployment: str
    reason: str
    because: str


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """A copy for comparison: who gets it, and of which share of the requests, 0..1.

    `judge` is asked which of the two answers is adequate; None where nobody may be.
    """

    deployment: Deployment
    share: float
    judge: Deployment | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's output for one request.

    `candidates` are the deployments that may serve, best first; empty means refused, and then
    `refusal` says why in words for the caller. `route` is the id of the route that chose them,
    `mask` the finding types that must be hidden before anything is sent, `realistic` those of them
    that fakes stand for, `sent` the sensitivity of what is sent then, and `output_cap` the smallest
    output cap (tokens) that a constraint set.
    `reserve` are self-hosted deployments
    outside the route that may serve all the same; they are for budgets that say
    `on_exhausted: self_hosted_only`. `keep` names who shall stay with the deployment that serves,
    such as `session:4711`; empty for nobody. `cascade` says what the answers of all candidates but
    the highest must pass; None where the route is no cascade. `aim` is what the order counts for
    where the route has a target. `shadow` gets a copy after the answer; it and its judge may
    receive what is sent as much as any candidate. `headers` go with every call upstream, and `tags`
    are noted beside the caller's own, over them.
    """

    candidates: tuple[Deployment, ...]
    route: str
    revision: str
    reasons: tuple[Reason, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    refusal: str = ""
    refusal_code: str = ""
    mask: frozenset[str] = frozenset()
    realistic: frozenset[str] = frozenset()
    sent: Sensitivity = UNKNOWN
    output_cap: int | None = None
    reserve: tuple[Deployment, ...] = ()
    keep: str = ""
    cascade: Cascade | None = None
    aim: Aim | None = None
    shadow: Shadow | None = None
    headers: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def copied_to(self) -> str:
        """The name of the deployment that gets a copy; empty for none."""
        return self.shadow.deployment.name if self.shadow is not None else ""

    @property
    def judged_by(self) -> str:
        """The name of the deployment that compares the two answers; empty for none."""
        judge = self.shadow.judge if self.shadow is not None else None
        return judge.name if judge is not None else ""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment of the plan with the bounds it is called under.

    `output_cap` (tokens) is sent upstream; `hold_nanousd` is the most the attempt can cost
    under it; `attempts` is how often the deployment may be called in all. A `reserve` candidate
    is only for when a budget refused the ones before it, not for when they failed. `most_tokens`
    are those that it can read and write, and the `cheapest` candidate of a plan is the one that
    budgets leave which downgrade. `checks` are what its answer must pass while a candidate on a
    higher `rung` of the cascade is still to come.
    """

    deployment: Deployment
    output_cap: int
    hold_nanousd: int
    attempts: int = 1
    reserve: bool = False
    most_tokens: int = 0
    cheapest: bool = False
    checks: Checks | None = None
    rung: int = 0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Ordered candidates with bounds; `deadline` is in the driver's monotonic seconds.

    `provider_down` is who takes over from a deployment that failed: see
    `gateway.core.degradation`.
    """

    candidates: tuple[Candidate, ...]
    deadline: float
    provider_down: str = "next_candidate"
