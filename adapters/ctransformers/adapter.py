"""The adapter of a deployment that runs in a worker process on this machine."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from adapters.base import Outbound, Upstream
from adapters.ctransformers.supervisor import socket_path
from adapters.transport import PreparedCall, Transport, prepare_call
from gateway.core.deployment import Deployment
from gateway.core.failure import AttemptFailure


def open_adapter(
    deployment: Deployment, transport: Transport, run_dir: Path
) -> CtransformersAdapter:
    """The adapter of one deployment; its worker is started by a `WorkerSupervisor`.

    While the worker starts or pauses after a crash its socket refuses, so an attempt fails with
    `CONNECT`; a crash in the middle of an answer fails it with `CUT_STREAM`.

    Raises:
        SocketPathTooLong: the socket's path would pass what the system allows.
    """
    path = quote(str(socket_path(run_dir, deployment.name)), safe="")
    call = prepare_call(f"http+unix://{path}/v1/chat/completions", ())
    return CtransformersAdapter(deployment, transport, call)


class CtransformersAdapter:
    """Sends a deployment's calls to its worker; `cap_field` names the output cap it reads."""

    wire = "openai_chat"
    wires = frozenset({"openai_chat"})
    cap_field = "max_tokens"

    def __init__(self, deployment: Deployment, transport: Transport, call: PreparedCall) -> None:
        self.deployment = deployment
        self._transport = transport
        self._call = call

    async def open(self, outbound: Outbound) -> Upstream | AttemptFailure:
        """Send the bytes to the worker and wait for its response headers."""
        return await self._transport.send(outbound, self.deployment, self._call)

    async def close(self) -> None:
        """Nothing to give back: the transport keeps the connections, the supervisor the worker."""
