"""One callable model: where it runs, what it may receive and what it costs."""

from __future__ import annotations

import msgspec

from gateway.core.money import Price
from gateway.core.sensitivity import Sensitivity


class Secret(msgspec.Struct, frozen=True, eq=True):
    """A resolved secret that does not show itself in a repr, a log line or a traceback."""

    value: str

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """Provider + model + endpoint + credential + clearance + price.

    `adapter` names the driver (openai, anthropic, openai_compatible, ctransformers);
    `options` are that driver's own settings, already validated by it. `self_hosted` is True
    where the bytes stay on machines of the company. Timeouts are in seconds; context and output
    sizes in tokens, 0 where unknown (then no bound is applied).
    """

    name: str
    adapter: str
    model: str
    clearance: Sensitivity
    price: Price
    base_url: str = ""
    api_key: Secret | None = None
    headers: tuple[tuple[str, str], ...] = ()
    self_hosted: bool = False
    context_tokens: int = 0
    max_output_tokens: int = 0
    capabilities: frozenset[str] = frozenset()
    retries: int = 1
    timeout_seconds: float = 600.0
    first_byte_seconds: float = 120.0
    options: tuple[tuple[str, str | int | float | bool], ...] = ()

    def option(self, name: str, default: str | int | float | bool) -> str | int | float | bool:
        """The driver setting of that name, or the default."""
        for key, setting in self.options:
            if key == name:
                return setting
        return default
