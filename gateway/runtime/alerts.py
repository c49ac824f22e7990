"""Tells webhooks of budgets that are nearly used up: once for each share, and signed.

Rules of this file:
- addresses come from the policy file alone, and redirects are not followed;
- no request waits for a webhook, and one that does not answer is tried again and then let go;
- of several gateways one tells: whoever marks the share first in the store.

A message is JSON. Its signature is in the header `x-fairlead-signature`: `t=SECONDS,v1=HEX`, where
HEX is the HMAC-SHA256 of `SECONDS.BODY` under the webhook's secret.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from time import time
from typing import Any

import httpx2
import msgspec

from gateway.core.budgets import BudgetUse
from gateway.core.errors import StoreUnavailable
from policies.compiled import Budget, Webhook

#: Pauses between tries, in seconds.
PAUSES = (1.0, 5.0, 30.0, 120.0)
#: Messages that are on their way at most; more are let go, and logged.
_MOST_UNDER_WAY = 100
_MOST_REMEMBERED = 10_000
_TIMEOUT_SECONDS = 10.0

#: Marks a share of a budget's period as told; False when somebody told it already.
Claim = Callable[[str, BudgetUse, float], Awaitable[bool]]


class Alerts:
    """Watches what holds say of budgets, and tells."""

    def __init__(self, claim: Claim, log: Any, *, pauses: Sequence[float] = PAUSES) -> None:
        self._claim = claim
        self._log = log
        self._pauses = pauses
        self._told: dict[tuple[str, str, str, str, int], float] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._client: httpx2.AsyncClient | None = None

    def heard(self, org: str, budgets: Sequence[Budget], used: Sequence[BudgetUse]) -> None:
        """Look at where budgets stand after a hold, and tell in the background."""
        for budget, use in zip(budgets, used, strict=False):
            if budget.webhook is not None and budget.warn_at and use.share >= budget.warn_at[0]:
                self._pass(org, budget, budget.webhook, use)

    async def close(self) -> None:
        """Let go of what is on its way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def _pass(self, org: str, budget: Budget, webhook: Webhook, use: BudgetUse) -> None:
        passed = max(share for share in budget.warn_at if use.share >= share)
        key = (org, use.scope, use.per, use.period, use.cap_nanousd)
        if self._told.get(key, 0.0) >= passed:
            return
        if len(self._told) >= _MOST_REMEMBERED:
            self._told.clear()
        self._told[key] = passed
        if len(self._under_way) >= _MOST_UNDER_WAY:
            self._log.error("budget_alert_dropped", scope=use.scope, share=passed)
            return
        task = asyncio.ensure_future(self._tell(org, webhook, use, passed))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _tell(self, org: str, webhook: Webhook, use: BudgetUse, passed: float) -> None:
        try:
            if not await self._claim(org, use, passed):
                return
        except StoreUnavailable:
            pass  # better told twice than never
        body = msgspec.json.encode(message(org, use, passed))
        for pause in (*self._pauses, None):
            if await self._sent(webhook, body):
                self._log.info("budget_alert_sent", scope=use.scope, share=passed)
                return
            if pause is not None:
                await asyncio.sleep(pause)
        self._log.error("budget_alert_failed", scope=use.scope, share=passed)

    async def _sent(self, webhook: Webhook, body: bytes) -> bool:
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False)
        headers = {
            "content-type": "application/json",
            "x-fairlead-signature": signature(webhook.secret.value, body, int(time())),
        }
        try:
            answer = await self._client.post(webhook.url, content=body, headers=headers)
        except httpx2.HTTPError:
            return False
        return answer.is_success


def message(org: str, use: BudgetUse, passed: float) -> dict[str, Any]:
    """What a webhook is told."""
    return {
        "event": "budget_threshold",
        "org": org,
        "scope": use.scope,
        "per": use.per,
        "period": use.period,
        "zone": use.zone,
        "threshold": passed,
        "used_share": round(use.share, 4),
        "spent_nanousd": use.spent_nanousd,
        "held_nanousd": use.held_nanousd,
        "cap_nanousd": use.cap_nanousd,
    }


def signature(secret: str, body: bytes, at: int) -> str:
    """The header that proves who sent a message, and when (epoch seconds)."""
    signed = hmac.digest(secret.encode(), b"%d." % at + body, "sha256").hex()
    return f"t={at},v1={signed}"
