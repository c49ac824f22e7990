"""The local models of a gateway: a worker for each that the policy in force names.

They belong to the gateway's parent process, which follows the policy for their sake alone. One
that vanishes from the policy runs on until the last request that uses it has ended.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import redis

from adapters.ctransformers.supervisor import WorkerSupervisor
from gateway.core.deployment import Deployment
from gateway.runtime.live.start import Begin
from gateway.runtime.live.trial import Bench, compiled
from gateway.runtime.log import logger
from gateway.stores import versions
from gateway.stores.endpoint import open_client
from gateway.stores.versions import ask_now
from policies.compiled import CompiledPolicy
from policies.problems import PolicyError

#: How often Redis is asked for a newer version; seconds.
_LOOK_SECONDS = 0.5


class LocalModels:
    """Starts and ends the workers of local models as the policy changes."""

    def __init__(self, run_dir: Path, begin: Begin, bench: Bench, redis_url: str) -> None:
        self._supervisor = WorkerSupervisor(run_dir)
        self._policy = begin.policy
        self._number = begin.in_force.number
        self._bench = bench
        self._redis_url = redis_url

    async def start(self) -> None:
        """Start what the first policy names.

        Raises:
            ValueError: a local model cannot be started as it is described.
        """
        for deployment in _local(self._policy):
            await self._supervisor.start(deployment)

    async def follow(self) -> None:
        """Follow the policy until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            # What is wrong here the gateway workers tell; what runs goes on running.
            with suppress(redis.RedisError, PolicyError, OSError, ValueError):
                policy = await asyncio.to_thread(self._newer)
                if policy is not None:
                    self._policy = policy
                    await self._start_new()
                await self._supervisor.keep_only(_local(self._policy))

    async def close(self) -> None:
        """End all workers."""
        await self._supervisor.close()

    async def _start_new(self) -> None:
        for deployment in _local(self._policy):
            try:
                await self._supervisor.start(deployment)
            except ValueError as error:
                logger().error("local_model", deployment=deployment.name, reason=str(error))

    def _newer(self) -> CompiledPolicy | None:
        with open_client(self._redis_url) as client:
            number = ask_now(client, versions.head()).number
            if number in (0, self._number):
                return None
            text = ask_now(client, versions.text(number))
        if text is None:
            return None
        policy = compiled(text, f"version {number}", self._bench)
        self._number = number
        return policy


def _local(policy: CompiledPolicy) -> list[Deployment]:
    return [one for one in policy.deployments.values() if one.adapter == "ctransformers"]
