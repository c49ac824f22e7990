"""The adapter of a deployment that runs in a worker process on this machine."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO
from urllib.parse import quote

from adapters.base import Outbound, Upstream
from adapters.ctransformers.supervisor import socket_path, users_lock, worker_name
from adapters.transport import PreparedCall, Transport, prepare_call
from gateway.core.deployment import Deployment
from gateway.core.failure import AttemptFailure
from gateway.wire.base import Caching


def open_adapter(
    deployment: Deployment, transport: Transport, run_dir: Path
) -> CtransformersAdapter:
    """The adapter of one deployment; its worker is started by a `WorkerSupervisor`.

    While the worker starts or pauses after a crash its socket refuses, so an attempt fails with
    `CONNECT`; a crash in the middle of an answer fails it with `CUT_STREAM`.

    Raises:
        SettingsError: an option of the deployment is wrong.
        SocketPathTooLong: the socket's path would pass what the system allows.
    """
    name = worker_name(deployment)
    path = quote(str(socket_path(run_dir, name)), safe="")
    call = prepare_call(f"http+unix://{path}/v1/chat/completions", ())
    return CtransformersAdapter(deployment, transport, call, users_lock(run_dir, name))


class CtransformersAdapter:
    """Sends a deployment's calls to its worker; `cap_field` names the output cap it reads."""

    wire = "openai_chat"
    wires = frozenset({"openai_chat"})
    cap_field = "max_tokens"
    caching: Caching = "none"

    def __init__(
        self, deployment: Deployment, transport: Transport, call: PreparedCall, users: IO[bytes]
    ) -> None:
        self.deployment = deployment
        self._transport = transport
        self._call = call
        # The worker is not ended as long as anybody holds this lock, in whichever process.
        self._users = users
        fcntl.flock(users, fcntl.LOCK_SH)

    async def open(self, outbound: Outbound) -> Upstream | AttemptFailure:
        """Send the bytes to the worker and wait for its response headers."""
        return await self._transport.send(outbound, self.deployment, self._call)

    async def close(self) -> None:
        """Let the worker go; the transport keeps the connections."""
        self._users.close()
