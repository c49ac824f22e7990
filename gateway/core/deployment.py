"""One callable model: where it runs, what it may receive and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gateway.core.prices import Price
from gateway.core.quality import Skills
from gateway.core.sensitivity import Sensitivity
from gateway.core.token_families import DEAREST_IMAGE, UNKNOWN


class Secret(msgspec.Struct, frozen=True, eq=True):
    """A resolved secret that does not show itself in a repr, a log line or a traceback."""

    value: str

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """Provider + model + endpoint + credential + clearance + price.

    `adapter` names the driver (openai, anthropic, openai_compatible, ollama_native,
    text_completion, ctransformers);
    `options` are that driver's own settings, already validated by it. `self_hosted` is True
    where the bytes stay on machines of the company. Timeouts are in seconds; context and output
    sizes in tokens, 0 where unknown (then no bound is applied). `provider` is the company or
    runtime behind it, for prices and reports. `zone` is where it runs, as the policy names
    places (`eu`), empty where the policy does not say. `skills` are its model's benchmark
    scores. `secret_headers` are sent beside `headers` and hold values that came from a secret.
    `tokenizer` is the family that its model reads with (`gateway.core.token_families`), and
    `image_tokens` the most that one image costs with it; `calibrated_holds` says whether holds go
    by that family's calibrated bound where none that is proved is nearer.
    `on_lossy` is `refuse` where a request that its wire cannot carry whole must not be sent,
    else `record`.
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
    provider: str = ""
    secret_headers: tuple[tuple[str, Secret], ...] = ()
    on_lossy: str = "record"
    zone: str = ""
    skills: Skills = Skills()
    tokenizer: str = UNKNOWN
    image_tokens: int = DEAREST_IMAGE
    calibrated_holds: bool = False

    def can(self, need: str) -> bool:
        """Whether it may be asked for this; for everything where nobody said what it can do."""
        return not self.capabilities or need in self.capabilities

    def option(self, name: str, default: str | int | float | bool) -> str | int | float | bool:
        """The driver setting of that name, or the default."""
        for key, setting in self.options:
            if key == name:
                return setting
        return default


class AdapterFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy must know of a kind of driver without importing it.

    `provider` is the provider that its deployments have when the policy names none;
    `capabilities` are what they can do when the policy does not say, empty for unknown;
    `key_variable` is the environment variable that usually holds the key.
    """

    name: str
    needs_api_key: bool = False
    needs_base_url: bool = False
    key_variable: str = ""
    default_base_url: str = ""
    self_hosted: bool = False
    provider: str = ""
    capabilities: frozenset[str] = frozenset()


#: The drivers that ship with Fairlead.
SHIPPED_ADAPTERS: Mapping[str, AdapterFacts] = MappingProxyType(
    {
        facts.name: facts
        for facts in (
            AdapterFacts(
                name="openai",
                needs_api_key=True,
                key_variable="OPENAI_API_KEY",
                default_base_url="https://api.openai.com/v1",
                provider="openai",
            ),
            AdapterFacts(
                name="anthropic",
                needs_api_key=True,
                key_variable="ANTHROPIC_API_KEY",
                default_base_url="https://api.anthropic.com",
                provider="anthropic",
            ),
            AdapterFacts(
                name="openai_compatible", needs_base_url=True, provider="openai_compatible"
            ),
            AdapterFacts(
                name="ollama_native",
                default_base_url="http://127.0.0.1:11434",
                self_hosted=True,
                provider="ollama",
            ),
            AdapterFacts(
                name="text_completion",
                needs_base_url=True,
                provider="text_completion",
                # Without this a request with tools or pictures would be sent, and lose them.
                capabilities=frozenset({"schema"}),
            ),
            AdapterFacts(
                name="ctransformers",
                self_hosted=True,
                provider="ctransformers",
                capabilities=frozenset({"schema", "tools"}),
            ),
        )
    }
)
