"""From a policy file on disk to what decides: found or discovered, read, priced and compiled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from adapters.registry import adapter_facts
from gateway.config.discovery import discover
from gateway.config.first_policy import write_once
from gateway.config.price_book import load_price_book
from gateway.config.secrets import secret_lookup
from gateway.config.settings import Settings
from gateway.config.terms import terms_lookup
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.loader import load_policy
from policies.problems import PolicyError


class PolicyUnusable(Exception):
    """The policy cannot be used; the message lists every problem with its place."""


class FoundPolicy(msgspec.Struct, frozen=True):
    """The policy file to use, and what a person should know about how it came about."""

    path: Path
    notes: tuple[str, ...] = ()


async def find_policy(
    settings: Settings, environ: Mapping[str, str], active: str | None = None
) -> FoundPolicy:
    """The configured policy, the one of this home, or a new one made of what is found here.

    `active` is the text that gateways on the same Redis serve by already, if there is one; a new
    gateway then begins with it and discovers nothing.
    """
    path = settings.policy_file
    if settings.policy is not None or path.exists():
        return FoundPolicy(path)
    if active is not None:
        write_once(path, active)
        return FoundPolicy(path, (f"{path} was written: the policy of the gateways on this Redis",))
    found = await discover(environ)
    found.write(path)
    return FoundPolicy(path, (f"no policy was given, so {path} was written", *found.notes))


def compile_file(path: Path, environ: Mapping[str, str]) -> CompiledPolicy:
    """Read and compile a policy file.

    Raises:
        PolicyUnusable: something in it is wrong; nothing of it is used.
    """
    try:
        return compile_policy(
            load_policy(path),
            load_price_book().price_of,
            secret_lookup(environ, path.parent),
            adapter_facts(),
            terms_lookup(path.parent),
        )
    except PolicyError as error:
        raise PolicyUnusable(f"the policy cannot be used:\n{error}") from None
