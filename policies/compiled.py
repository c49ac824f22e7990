"""A policy ready to decide: names resolved, prices in nano-USD, conditions as functions.

The same object serves traffic, `check`, `test`, `explain` and whatever comes later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from gateway.core.cascade import Checks
from gateway.core.degradation import Degradation
from gateway.core.deployment import Deployment, Secret
from gateway.core.findings import SensitivityRules
from gateway.core.limits import LimitCounter
from gateway.core.second_stage import Presidio
from gateway.core.targets import Target
from policies.model.cases import CaseStatement
from policies.model.conditions import Test

#: How a condition turned out: it holds, it does not, or it cannot be told (None).
Truth = bool | None


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The facts of one request in the form that conditions compare.

    `types_complete` is False when a detector failed, so that what is missing may still be
    there; other facts are None when their classifier failed. `estimated_cost` is in nano-USD:
    the expected input and the longest answer at the dearest deployment of the policy, so it
    does not depend on what else is decided; 0 when no condition asks for it. `output_tokens` is
    the longest answer that is asked for, over all choices.
    """

    sensitivity: int
    types: frozenset[str]
    types_complete: bool
    difficulty: float | None
    task: str | None
    needs: frozenset[str]
    input_tokens: int | None
    estimated_cost: int | None
    budget_used: float
    model: str
    org: str
    team: str
    app: str
    user: str
    tags: Mapping[str, str]
    now: float
    stream: bool
    key: str
    api: str
    reliability: float | None
    output_tokens: int
    classifier_failed: bool = False


class Matcher(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A compiled condition: as data for whoever reasons about it, and as a function.

    `kind` is always, term, all, any or not; `words` is how the file put it; `holds` answers for
    one request in three values. A term asks `test` of `fact`; a group has its `parts`.
    """

    kind: str
    words: str
    holds: Callable[[Seen], Truth]
    parts: tuple[Matcher, ...] = ()
    fact: str = ""
    test: Test | None = None


class Constraint(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What may never happen: where `when` holds or cannot be told, all of it applies.

    `excluded` are the deployments that it takes away; `because` is its reason in words,
    `blocks` says that nothing may serve, with `message` for the caller. `realistic` says that
    fakes stand for what it masks.
    """

    id: str
    because: str
    when: Matcher
    excluded: frozenset[str] = frozenset()
    output_cap: int | None = None
    mask: frozenset[str] = frozenset()
    realistic: bool = False
    blocks: bool = False
    message: str = ""


class Invariant(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What the other statements must guarantee: where `when` holds or cannot be told, none of
    `deployments` is called.

    The engine enforces it after all constraints; that this is never needed can be proved.
    """

    id: str
    because: str
    when: Matcher
    deployments: frozenset[str]


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """How much cost, latency and quality count; they add up to 1."""

    cost: float
    latency: float
    quality: float


class Copying(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The deployment that a route's requests are copied to, by name, and the share of them.

    `judge` is who compares the two answers, by name; empty for nobody.
    """

    deployment: str
    share: float
    judge: str = ""


class Route(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What we would like: deployments by name in the order of the file, and a strategy.

    `weights` belong to the strategy balanced; `shares` to split, a part for each deployment in
    their order; `sticky` is session, user, app, team or key, empty for none. `checks` belong to
    cascade and `target` to target. For the share `explore` of the requests another candidate comes
    first; a cascade passes over rungs whose predicted quality is below `least_quality`. `shadow`
    gets copies for comparison; `headers` go with every call upstream and `tags` are noted beside
    the caller's own, over them.
    """

    id: str
    because: str
    when: Matcher
    deployments: tuple[str, ...]
    strategy: str = "ordered"
    weights: Weights | None = None
    shares: tuple[float, ...] = ()
    sticky: str = ""
    checks: Checks | None = None
    target: Target | None = None
    explore: float = 0.0
    least_quality: float = 0.0
    shadow: Copying | None = None
    headers: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    def obligations(self) -> tuple[str, ...]:
        """What the route adds, in words."""
        told = [f"header {name}: {held}" for name, held in self.headers]
        told += [f"tag {name}={held}" for name, held in self.tags]
        if self.shadow is not None:
            judged = f", judged by {self.shadow.judge}" if self.shadow.judge else ""
            told.append(f"a copy of {self.shadow.share:.0%} to {self.shadow.deployment}{judged}")
        return tuple(told)


class SecondStage(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Who is asked what else is sensitive, where `when` holds or cannot be told.

    Either `presidio` is set or `deployment` names one that is self-hosted and cleared for
    restricted data. `restricts` says that a request without an answer counts as not judged.
    """

    when: Matcher
    timeout_seconds: float
    restricts: bool
    presidio: Presidio | None = None
    deployment: str = ""

    @property
    def by(self) -> str:
        """Who is asked, in one word."""
        return self.deployment or "presidio"


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """An address that is told of budgets, and the secret that its messages are signed with."""

    url: str
    secret: Secret


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """A money cap as it applies to one principal, or to a kind of scope when it ends in `/*`.

    `scope` is written like `team/support`; `cap_nanousd` is for one period `per` in `zone`;
    `on_exhausted` is refuse, self_hosted_only, downgrade or notify. `shrink_to` and `warn_at` are
    those of the file.
    """

    scope: str
    per: str
    cap_nanousd: int
    on_exhausted: str = "refuse"
    zone: str = "UTC"
    shrink_to: int = 0
    warn_at: tuple[float, ...] = ()
    webhook: Webhook | None = None


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """A model name that client apps may ask for."""

    name: str
    description: str = ""


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """Values for whatever says nothing itself; times in seconds, sizes in tokens.

    `on_lossy` is refuse or record.
    """

    max_output_tokens: int = 4096
    request_timeout_seconds: float = 600.0
    first_byte_seconds: float = 120.0
    retries: int = 1
    on_lossy: str = "record"


class CompiledPolicy(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Everything that decides, under one revision.

    `revision` is a hash of the meaning: comments, layout and the order of what has no order do
    not change it, and neither do the file's own tests. `deployments`, `aliases` and `routes`
    keep the order of the file. `asks_cost` says whether any condition needs the estimate,
    `asks_speed`, `asks_quality` and `asks_length` whether any route orders by these, and
    `sticks_to` whose deployments must be remembered; `targets` are those of the routes that have
    one, by route id. `limits` may be of a kind of scope, like budgets. `safeguards` are the
    constraints that `degradation` brings; they narrow as the file's own do.
    """

    revision: str
    source: str
    deployments: Mapping[str, Deployment]
    aliases: Mapping[str, Alias]
    rules: SensitivityRules
    constraints: tuple[Constraint, ...]
    routes: tuple[Route, ...]
    budgets: tuple[Budget, ...]
    defaults: Defaults
    invariants: tuple[Invariant, ...] = ()
    tests: tuple[CaseStatement, ...] = ()
    asks_cost: bool = False
    asks_speed: bool = False
    asks_quality: bool = False
    asks_length: bool = False
    sticks_to: frozenset[str] = frozenset()
    limits: tuple[LimitCounter, ...] = ()
    degradation: Degradation = Degradation()
    safeguards: tuple[Constraint, ...] = ()
    targets: Mapping[str, Target] = {}
    second_stage: SecondStage | None = None
