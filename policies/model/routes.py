"""One entry of `routes`, and what it uses."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from gateway.core.cascade import Checks
from gateway.core.targets import Target
from policies.model.conditions import Condition
from policies.model.selectors import Selector
from policies.problems import Place


class WeightsStatement(msgspec.Struct, frozen=True, kw_only=True):
    """How much cost, latency and quality count for `balanced`; only their proportion matters."""

    at: Place
    cost: Decimal = Decimal(0)
    latency: Decimal = Decimal(0)
    quality: Decimal = Decimal(0)


class Share(msgspec.Struct, frozen=True):
    """A deployment of a `split` with its part, relative to the other parts."""

    name: str
    part: Decimal
    at: Place


class UseStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What a route uses: named deployments in order, or a strategy among selected ones.

    `weights` belong to `balanced`, `shares` to `split` and `checks` to `cascade`; a `target` is a
    strategy of its own. `sticky` is session, user, app, team or key, empty for none. `explore` is
    the share of the requests for which another candidate comes first. A cascade begins with the
    first rung whose predicted quality is `least_quality`.
    """

    at: Place
    strategy: str = "ordered"
    among: Selector | None = None
    weights: WeightsStatement | None = None
    shares: tuple[Share, ...] = ()
    sticky: str = ""
    checks: Checks | None = None
    cascade: Selector | None = None
    target: Target | None = None
    explore: float = 0.0
    least_quality: float = 0.0


class ShadowStatement(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets a copy for comparison, of which share of the requests (0..1), and who compares.

    `judge` is a deployment's name, empty for nobody.
    """

    at: Place
    deployment: str
    share: float = 1.0
    judge: str = ""


class RouteStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `routes`; without `when` it always holds.

    `add_headers` go with every call upstream; `add_tags` are noted beside the caller's own.
    """

    at: Place
    id: str
    use: UseStatement
    because: str = ""
    when: Condition | None = None
    shadow: ShadowStatement | None = None
    add_headers: tuple[tuple[str, str], ...] = ()
    add_tags: tuple[tuple[str, str], ...] = ()
