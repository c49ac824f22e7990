"""The smallest values that a ledger works with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.budgets import BudgetCounter
from gateway.core.ledger import Hold, Settlement
from gateway.core.records import AuditRecord, LedgerLine
from gateway.core.usage import Usage
from gateway.stores.connection import RedisConnection
from gateway.stores.ledger import LedgerStore


@pytest.fixture
def store(connection: RedisConnection) -> LedgerStore:
    """A ledger on an empty database."""
    return LedgerStore(connection)


@pytest.fixture
def make_line() -> Callable[..., LedgerLine]:
    """Ledger lines with everything but the given fields filled in."""

    def make(**fields: object) -> LedgerLine:
        known: dict[str, object] = {
            "kind": "settle",
            "hold_id": "h1",
            "request_id": "r1",
            "attempt": 1,
            "at": 1_790_000_000.0,
            "org": "acme",
            "team": "support",
            "app": "",
            "user": "",
            "key_id": "k1",
            "alias": "auto",
            "deployment": "house",
            "provider": "vllm",
            "model": "llama",
            "route": "everything",
            "sensitivity": "internal",
            "outcome": "ok",
            "usage": Usage(input_tokens=10, output_tokens=5),
            "held_nanousd": 100,
            "cost_nanousd": 40,
        }
        return LedgerLine(**{**known, **fields})  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_audit() -> Callable[..., AuditRecord]:
    """Audit records with everything but the given fields filled in."""

    def make(**fields: object) -> AuditRecord:
        known: dict[str, object] = {
            "request_id": "r1",
            "at": 1_790_000_000.0,
            "org": "acme",
            "team": "support",
            "app": "",
            "user": "",
            "key_id": "k1",
            "requested_model": "auto",
            "sensitivity": "internal",
            "difficulty": 0.25,
            "task": "chat",
            "input_tokens": 10,
            "needs": (),
            "findings": {},
            "stream": False,
            "tags": {},
            "deployment": "house",
            "route": "everything",
            "reasons": (),
            "rejected": {},
            "policy": "rev",
            "attempts": (),
            "outcome": "served",
            "status": 200,
            "error": "",
            "cost_nanousd": 40,
            "duration_ms": 12.5,
        }
        return AuditRecord(**{**known, **fields})  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_hold(
    make_line: Callable[..., LedgerLine], make_audit: Callable[..., AuditRecord]
) -> Callable[..., Hold]:
    """Holds on one team budget of 1,000 nano-USD, unless told otherwise."""

    def make(hold_id: str = "h1", amount: int = 100, **fields: object) -> Hold:
        line = make_line(
            kind="in_doubt",
            hold_id=hold_id,
            outcome="in_doubt",
            held_nanousd=amount,
            cost_nanousd=amount,
            usage=Usage(),
        )
        known: dict[str, object] = {
            "hold_id": hold_id,
            "request_id": "r1",
            "org": "acme",
            "amount_nanousd": amount,
            "lease_seconds": 60.0,
            "counters": (BudgetCounter(scope="team/support", per="month", cap_nanousd=1000),),
            "line": line,
            "audit": make_audit(outcome="in_doubt", cost_nanousd=amount),
        }
        return Hold(**{**known, **fields})  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_settlement(make_line: Callable[..., LedgerLine]) -> Callable[..., Settlement]:
    """Settlements of a hold of 100 nano-USD that cost 40, unless told otherwise."""

    def make(hold_id: str = "h1", cost: int = 40, **fields: object) -> Settlement:
        line = make_line(hold_id=hold_id, cost_nanousd=cost)
        return Settlement(**{"hold_id": hold_id, "org": "acme", "line": line, **fields})  # type: ignore[arg-type]

    return make
