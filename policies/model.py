"""A policy file as it is written: one frozen value for each statement, with its place.

Nothing here is resolved: names are words, prices are the decimals of the file, and secrets are
references. `policies.compiler` turns a `PolicyFile` into what decides.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from gateway.core.sensitivity import Sensitivity
from policies.problems import Place

OptionValue = str | int | float | bool


class SecretReference(msgspec.Struct, frozen=True):
    """Where a secret is kept: `env:NAME` or `file:PATH`."""

    kind: str
    name: str
    at: Place = Place()

    @property
    def text(self) -> str:
        """The reference as the file writes it."""
        return f"{self.kind}:{self.name}"


class PriceStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A price as written: per-token figures, or a machine by the hour.

    Figures are US dollars per million tokens, except `per_request_usd` (dollars a call),
    `gpu_hour_usd` (dollars an hour), `tokens_per_second` and `utilisation` (share, 0..1].
    """

    at: Place
    input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None
    cached_input_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None
    per_request_usd: Decimal | None = None
    gpu_hour_usd: Decimal | None = None
    tokens_per_second: Decimal | None = None
    utilisation: Decimal | None = None


class DeploymentStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `deployments`; None and 0 mean that the file says nothing."""

    at: Place
    name: str
    adapter: str
    model: str
    clearance: Sensitivity
    provider: str = ""
    base_url: str = ""
    api_key: SecretReference | None = None
    headers: tuple[tuple[str, str | SecretReference], ...] = ()
    price: PriceStatement | None = None
    self_hosted: bool | None = None
    context_tokens: int = 0
    max_output_tokens: int = 0
    capabilities: tuple[str, ...] | None = None
    retries: int | None = None
    timeout_seconds: Decimal | None = None
    first_byte_seconds: Decimal | None = None
    on_lossy: str | None = None
    options: tuple[tuple[str, OptionValue], ...] = ()


class AliasStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `aliases`: a model name that client apps may ask for."""

    at: Place
    name: str
    description: str = ""


class SensitivityStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The `sensitivity` section: how findings become a level."""

    at: Place
    default: Sensitivity = Sensitivity.INTERNAL
    findings: tuple[tuple[str, Sensitivity], ...] = ()
    weak_pair: Sensitivity | None = None


class Range(msgspec.Struct, frozen=True):
    """An interval of numbers; None is open-ended."""

    low: Decimal | None = None
    low_included: bool = True
    high: Decimal | None = None
    high_included: bool = True


class Among(msgspec.Struct, frozen=True):
    """Numbers of which the fact must be one."""

    numbers: tuple[Decimal, ...]


class Words(msgspec.Struct, frozen=True):
    """Words of which the fact must be one; a word that ends in `*` is a beginning."""

    words: tuple[str, ...]


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """What a set must hold: any of, all of and none of these words (empty tuples ask nothing)."""

    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()


class Tagged(msgspec.Struct, frozen=True):
    """Tags that must be there, each with one of its values (empty: any value)."""

    tags: tuple[tuple[str, tuple[str, ...]], ...]


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """A time of the week: minutes of the day from `start` to before `end` (it may pass
    midnight), on `weekdays` (0 = Monday; the day on which the window begins), in `zone`."""

    start: int = 0
    end: int = 1440
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    zone: str = "UTC"


class Is(msgspec.Struct, frozen=True):
    """A flag's wanted value."""

    wanted: bool


Test = Range | Among | Words | Members | Tagged | Hours | Is


class Term(msgspec.Struct, frozen=True):
    """One fact with what is asked of it; `text` is how the file put it."""

    fact: str
    test: Test
    text: str
    at: Place


class Group(msgspec.Struct, frozen=True):
    """Conditions together: `kind` is all, any or not (none of them holds)."""

    kind: str
    parts: tuple[Condition, ...]
    at: Place


Condition = Term | Group


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """Deployments by name or by what they are; everything that is given must hold.

    `clearance` is the least clearance; None and empty tuples ask nothing.
    """

    at: Place
    names: tuple[tuple[str, Place], ...] = ()
    providers: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    self_hosted: bool | None = None
    clearance: Sensitivity | None = None


class ConstraintStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `constraints`; without `when` it always applies."""

    at: Place
    id: str
    because: str = ""
    when: Condition | None = None
    only: Selector | None = None
    forbid: Selector | None = None
    require: tuple[str, ...] = ()
    cap_output_tokens: int | None = None
    mask: tuple[str, ...] = ()
    block: str | None = None


class UseStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What a route uses: named deployments in order, or a strategy among selected ones."""

    at: Place
    strategy: str = "ordered"
    among: Selector | None = None


class RouteStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `routes`; without `when` it always holds."""

    at: Place
    id: str
    use: UseStatement
    because: str = ""
    when: Condition | None = None


class BudgetStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `budgets`: dollars a period for a scope such as `team/support`."""

    at: Place
    scope: str
    usd: Decimal
    per: str = "month"
    on_exhausted: str = "refuse"


class GivenStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The request of a test: real text that is judged, or facts that are set, or both.

    Facts that are given win over what the judging of the text found.
    """

    at: Place
    text: str | None = None
    model: str = ""
    org: str = "default"
    team: str = "default"
    app: str = ""
    user: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    stream: bool = False
    sensitivity: Sensitivity | None = None
    findings: tuple[str, ...] | None = None
    difficulty: Decimal | None = None
    task: str | None = None
    needs: tuple[str, ...] | None = None
    input_tokens: int | None = None
    max_output_tokens: int | None = None
    budget_used: Decimal = Decimal(0)
    time: str = ""


class ExpectStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What a test expects of the decision; what is not given is not looked at."""

    at: Place
    deployment: str | None = None
    any_of: tuple[str, ...] | None = None
    never: tuple[str, ...] | None = None
    refused: bool | None = None
    route: str | None = None
    reasons: tuple[str, ...] | None = None
    sensitivity: Sensitivity | None = None
    mask: tuple[str, ...] | None = None
    output_cap: int | None = None


class CaseStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `tests`."""

    at: Place
    name: str
    given: GivenStatement
    expect: ExpectStatement


class DefaultsStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The `defaults` section.

    `max_output_tokens` is the output cap of requests that bring none; times are in seconds;
    `retries` is how often a deployment is called again after a failure that a pause can cure;
    `on_lossy` (refuse or record) is what happens to a request of which a backend's wire cannot
    carry everything.
    """

    at: Place = Place()
    max_output_tokens: int = 4096
    request_timeout_seconds: Decimal = Decimal(600)
    first_byte_seconds: Decimal = Decimal(120)
    retries: int = 1
    on_lossy: str = "record"


class PolicyFile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole policy file, read and well-formed, not yet compiled; `source` names the file."""

    at: Place
    source: str
    fairlead: int
    deployments: tuple[DeploymentStatement, ...]
    routes: tuple[RouteStatement, ...]
    aliases: tuple[AliasStatement, ...] = ()
    sensitivity: SensitivityStatement = SensitivityStatement(at=Place())
    constraints: tuple[ConstraintStatement, ...] = ()
    budgets: tuple[BudgetStatement, ...] = ()
    tests: tuple[CaseStatement, ...] = ()
    defaults: DefaultsStatement = DefaultsStatement()
