"""What is written down: ledger lines (money) and audit records (decisions)."""

from __future__ import annotations

import msgspec

from gateway.core.usage import Usage


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the append-only ledger: what one attempt cost.

    `kind` is settle, in_doubt (a lease ran out and nobody settled) or correction; `outcome` is
    `ok` or a failure kind; `at` is epoch seconds; costs are integer nano-USD. Scopes are empty
    strings where the key has none.
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


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One call upstream as the audit log keeps it."""

    deployment: str
    outcome: str
    cost_nanousd: int = 0
    duration_ms: float = 0.0


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One decision with its facts; never prompt text, never a secret.

    `outcome` is served, refused, failed, cancelled or in_doubt; `findings` counts finding types;
    the facts are enough to decide the request again under another policy revision. `lossy` are
    the JSON pointers of what the last attempt's wire could not carry.
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
