"""The one log line of a request."""

from __future__ import annotations

from typing import Any

from gateway.runtime.exchange import Exchange


def summary_of(exchange: Exchange) -> dict[str, Any]:
    """Ids, decision, tokens, cost and milliseconds by stage; never text, never a secret."""
    line: dict[str, Any] = {
        "request_id": exchange.request_id,
        "outcome": exchange.outcome,
        "status": exchange.status,
        "ms": round(exchange.duration_ms, 2),
        "stages_ms": {name: round(spent, 2) for name, spent in exchange.stages.items()},
    }
    if exchange.error:
        line["error"] = exchange.error
    if exchange.principal is not None:
        line["team"], line["key"] = exchange.principal.team, exchange.principal.key_id
    if exchange.profile is not None:
        line["sensitivity"] = exchange.profile.sensitivity.label
        line["difficulty"] = round(exchange.profile.difficulty, 3)
    if exchange.second_stage is not None:
        line["second_stage"] = f"{exchange.second_stage.by}:{exchange.second_stage.outcome}"
    if exchange.decision is not None:
        line["route"], line["policy"] = exchange.decision.route, exchange.decision.revision
    if exchange.attempts:
        line["deployment"] = exchange.deployment
        line["attempts"] = [f"{one.deployment}:{one.outcome}" for one in exchange.attempts]
        line["tokens_in"] = exchange.usage.input_tokens
        line["tokens_out"] = exchange.usage.output_tokens
        line["cost_nanousd"] = exchange.cost_nanousd
    return line
