"""An adapter whose calls were prepared once: what every HTTP backend needs, and no more."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.base import Outbound, Upstream
from adapters.transport import PreparedCall, Transport
from gateway.core.deployment import Deployment
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.wire.base import Caching


class PreparedAdapter:
    """Sends bytes unchanged to URLs and headers that were fixed when it was made.

    `calls` has one call for each wire that the backend takes; `wire` is the one that others are
    translated to, `cap_field` the name under which it takes the output cap, and `caching` what it
    can be told of its prompt cache.
    """

    def __init__(
        self,
        deployment: Deployment,
        transport: Transport,
        calls: Mapping[str, PreparedCall],
        *,
        wire: str,
        cap_field: str,
        caching: Caching = "none",
    ) -> None:
        self.deployment = deployment
        self.wire = wire
        self.wires = frozenset(calls)
        self.cap_field = cap_field
        self.caching: Caching = caching
        self._transport = transport
        self._calls = calls

    def __repr__(self) -> str:
        return f"PreparedAdapter({self.deployment.name})"

    async def open(self, outbound: Outbound) -> Upstream | AttemptFailure:
        """Send the bytes and wait for the response headers; failures are returned."""
        call = self._calls.get(outbound.endpoint)
        if call is None:
            return AttemptFailure(
                kind=FailureKind.MODEL_MISSING,
                detail=f"the deployment does not serve the endpoint '{outbound.endpoint}'",
            )
        return await self._transport.send(outbound, self.deployment, call)

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the transport."""


def check_options(deployment: Deployment, known: frozenset[str]) -> None:
    """Refuse driver settings that the adapter does not have.

    Raises:
        ValueError: an option is unknown; the message names it and those that exist.
    """
    for name, _ in deployment.options:
        if name not in known:
            raise ValueError(
                f"deployment '{deployment.name}': adapter '{deployment.adapter}' has no option "
                f"'{name}'; it knows: {', '.join(sorted(known)) or 'none'}"
            )


def own_headers(deployment: Deployment) -> tuple[tuple[str, str], ...]:
    """The headers that the deployment adds to every call, secret ones included."""
    secret = tuple((name, held.value) for name, held in deployment.secret_headers)
    return (*deployment.headers, *secret)


def text_option(deployment: Deployment, name: str, default: str = "") -> str:
    """A driver setting that must be text.

    Raises:
        ValueError: it is something else.
    """
    given = deployment.option(name, default)
    if not isinstance(given, str):
        raise ValueError(f"deployment '{deployment.name}': option '{name}' must be text")
    return given


def wire_option(deployment: Deployment) -> str:
    """The wire that requests of other APIs are translated to: `openai_chat` unless told otherwise.

    Raises:
        ValueError: there is no such choice.
    """
    wire = text_option(deployment, "wire", "openai_chat")
    if wire not in ("openai_chat", "openai_responses"):
        raise ValueError(
            f"deployment '{deployment.name}': option 'wire' must be openai_chat or "
            f"openai_responses, not '{wire}'"
        )
    return wire


def caching_option(deployment: Deployment, default: Caching) -> Caching:
    """What translated requests may say of the backend's prompt cache.

    Raises:
        ValueError: there is no such choice.
    """
    match text_option(deployment, "prompt_cache", default):
        case ("none" | "key" | "breakpoints") as caching:
            return caching
        case other:
            raise ValueError(
                f"deployment '{deployment.name}': option 'prompt_cache' must be none, key or "
                f"breakpoints, not '{other}'"
            )
