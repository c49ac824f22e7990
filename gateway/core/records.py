"""What is written down: ledger lines (money) and audit records (decisions)."""

from __future__ import annotations

import msgspec

from gateway.core.output_length import Lengths
from gateway.core.prices import CostPart
from gateway.core.profile import FamilyTokens
from gateway.core.speed import Speed
from gateway.core.usage import Usage


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the append-only ledger: what one attempt cost.

    `kind` is settle (what an attempt cost, failed or not), in_doubt (a lease ran out and nobody
    settled: the held amount) or correction (the difference to a line that was booked; `because`
    says why). A settled line says `check: …` there where a cascade looked at the answer. A hold
    is no line of its own: it moves no money, and its amount stands on the line that ends it.

    `outcome` is `ok`, `inadequate` (a whole answer that failed a cascade's check), `shadow` (a
    whole answer to a copy, which nobody gets), `judge` (a whole answer about two others),
    `second_stage` (one to a question about what is sensitive) or a failure kind. `at` is when the
    attempt was held,
    in epoch seconds of the store's clock: it decides the price, the period of every budget and the
    hour of the rollups. Costs are integer nano-USD.
    Scopes are empty strings where the key has none.

    `parts` are the cost by class with quantities and prices, and add up to `cost_nanousd`;
    `price_revision` is the price book that the prices are from, `list_nanousd` what the public
    list would have charged (None: the same). `unpriced` says that something of the usage has no
    price of its own. `self_hosted` lines are of own machines, and `gpu_seconds` of them at full
    load. `spooled` lines were kept on a gateway's disk while the store was away.
    """

    kind: str
    hold_id: str
    request_id: str
    attempt: int
    at: float
    org: str
    team: str
    app: str
    user: str
    key_id: str
    alias: str
    deployment: str
    provider: str
    model: str
    route: str
    sensitivity: str
    outcome: str
    usage: Usage
    held_nanousd: int
    cost_nanousd: int
    price_revision: str = ""
    duration_ms: float = 0.0
    parts: tuple[CostPart, ...] = ()
    list_nanousd: int | None = None
    unpriced: bool = False
    self_hosted: bool = False
    gpu_seconds: float = 0.0
    tags: dict[str, str] = {}
    stream: bool = False
    policy: str = ""
    because: str = ""
    spooled: bool = False


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One call upstream as the audit log keeps it; `at` is the moment whose price it paid.

    `check` is the check of a cascade that its answer failed, `passed`, or `sample` for one of
    several answers that were compared; empty where nothing was checked.
    """

    deployment: str
    outcome: str
    cost_nanousd: int = 0
    duration_ms: float = 0.0
    at: float = 0.0
    check: str = ""


class StageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the second stage of privacy did for one request.

    `by` is `presidio` or the deployment that was asked; `outcome` is `ok` or why there is no whole
    answer; `findings` counts the types of what it added to the first stage's.
    """

    by: str
    outcome: str
    findings: dict[str, int] = {}
    duration_ms: float = 0.0


class RecordedFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a record's other fields do not tell of the facts that were decided on.

    Together they are the whole `gateway.core.decision.Facts`; see `gateway.core.recorded`.
    `version` says which facts were known to whoever wrote the record. `floor` is the level that
    was declared or that the conversation had before; `upper_bound_tokens` bounds the input, and
    `counted` is what each tokenizer family makes of it, empty where nobody counted;
    `models` and `max_sensitivity` are the key's own limits. `speeds`, `kept`, `thresholds`,
    `shifts`, `answers` and `lengths` are None where the policy did not ask for them.
    """

    version: int
    upper_bound_tokens: int = 0
    counted: tuple[FamilyTokens, ...] = ()
    images: int = 0
    reliability: float = 0.0
    failed: tuple[str, ...] = ()
    floor: str = "public"
    api: str = "chat"
    choices: int = 1
    max_output_tokens: int | None = None
    budget_used: float = 0.0
    models: tuple[str, ...] = ()
    max_sensitivity: str = "restricted"
    session: str = ""
    speeds: dict[str, Speed] | None = None
    kept: dict[str, str] | None = None
    thresholds: dict[str, float] | None = None
    shifts: dict[str, float] | None = None
    answers: dict[str, float] | None = None
    lengths: dict[str, Lengths] | None = None


class RecordedDecision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a record's other fields do not tell of the decision.

    `candidates` are those that policy allowed, best first, before anybody looked which of them
    can be asked at all; `outside` are those of them that are not self-hosted. `mask` are the
    finding types to hide, `output_cap` is in tokens, `refusal` the code of policy's own refusal.
    `shadow` is who may get a copy, `judge` who may compare both answers, and `tags` are those that
    policy added.
    """

    candidates: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    output_cap: int | None = None
    refusal: str = ""
    shadow: str = ""
    judge: str = ""
    tags: dict[str, str] = {}


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One decision with its facts; never prompt text, never a secret.

    `outcome` is served, refused, failed, cancelled, in_doubt, shadow for a copy that was answered,
    judge for a comparison that was, or second_stage for such a question; `findings` counts finding
    types; the facts are enough to decide the request again under another policy revision. `tags`
    are those that were decided on: the caller's, and over them the key's. `lossy` are the JSON
    pointers of what the last attempt's wire could not carry; `usage` is the last attempt's.
    `shadow_of` is the id of the request that this one copied for comparison, `judge_of` of the one
    whose answers it compared, and `second_stage_of` of the one in which it asked what is sensitive;
    all are empty for a request of a caller's own. `second_stage` tells that one was asked about
    this request, None that none was; what it found is among the record's findings and, where it
    failed, its facts.
    """

    request_id: str
    at: float
    org: str
    team: str
    app: str
    user: str
    key_id: str
    requested_model: str
    sensitivity: str
    difficulty: float
    task: str
    input_tokens: int
    needs: tuple[str, ...]
    findings: dict[str, int]
    stream: bool
    tags: dict[str, str]
    deployment: str
    route: str
    reasons: tuple[str, ...]
    rejected: dict[str, str]
    policy: str
    attempts: tuple[AttemptRecord, ...]
    outcome: str
    status: int
    error: str
    cost_nanousd: int
    duration_ms: float
    lossy: tuple[str, ...] = ()
    usage: Usage | None = None
    facts: RecordedFacts | None = None
    decided: RecordedDecision | None = None
    shadow_of: str = ""
    judge_of: str = ""
    second_stage_of: str = ""
    second_stage: StageRecord | None = None
