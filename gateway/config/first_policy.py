"""Writes the first policy of a gateway out of what was found: text that a person can go on with."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

#: The vendors whose keys are looked for, with a model for easy and one for hard questions.
API_PROVIDERS = {
    "openai": ("gpt-5.4-mini", "gpt-5.4"),
    "anthropic": ("claude-haiku-4-5", "claude-sonnet-5"),
}
#: Names that many apps ask for already; policy decides what serves them.
_USUAL_NAMES = {"openai": ("gpt-4o", "gpt-4o-mini"), "anthropic": ()}
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}")


class LocalModel(msgspec.Struct, frozen=True, kw_only=True):
    """A chat model on a server of this machine.

    `parameters` is in billions and `context_tokens` in tokens, both 0 where unknown.
    `trusted` is False where the server is not the runtime that its port promises: it may pass
    requests on, so it is not cleared for more than a vendor's API would be.
    """

    runtime: str
    runtime_title: str
    base_url: str
    model: str
    parameters: float = 0.0
    context_tokens: int = 0
    trusted: bool = True


class ApiAccess(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor whose key is in the environment; `base_url` only where the environment has one."""

    provider: str
    base_url: str = ""


class _Names(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the deployments by what they are good for."""

    local: tuple[tuple[str, LocalModel], ...]
    small: tuple[str, ...]
    large: tuple[str, ...]

    @property
    def at_home(self) -> list[str]:
        return [*(name for name, _ in self.local), "onboard"]

    @property
    def first_for_secrets(self) -> str:
        return next((name for name, model in self.local if model.trusted), "onboard")

    @property
    def outside(self) -> list[str]:
        return [*self.small, *self.large]


def policy_text(local: tuple[LocalModel, ...], apis: tuple[ApiAccess, ...]) -> str:
    """The policy for these models; `onboard`, the built-in help model, is always the last."""
    names = _Names(
        local=_named(local),
        small=tuple(f"{api.provider}-small" for api in apis),
        large=tuple(f"{api.provider}-large" for api in apis),
    )
    parts = [
        _HEAD,
        "deployments:",
        *(_local_deployment(name, model) for name, model in names.local),
        *(_api_deployments(api) for api in apis),
        _ONBOARD,
        _aliases(names, apis),
        _SENSITIVITY,
        _routes(names),
        _BUDGETS,
        _tests(names),
    ]
    return "\n".join(parts)


def write_once(path: Path, text: str) -> bool:
    """Write a whole new file or none; a file that is there already stays as it is.

    Raises:
        OSError: the folder cannot be written to.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as draft:
        draft.write(text)
        draft.flush()
        os.fsync(draft.fileno())
    try:
        # A link fails where a rename would replace what somebody wrote in the meantime.
        os.link(draft.name, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(draft.name)
    return True


def _named(local: Iterable[LocalModel]) -> tuple[tuple[str, LocalModel], ...]:
    named: dict[str, LocalModel] = {}
    for model in sorted(local, key=lambda one: not one.trusted):
        words = re.sub(r"[^a-z0-9.]+", "-", model.model.rsplit("/", 1)[-1].lower()).strip("-.")
        base = f"{model.runtime}-{words}"[:80]
        name, number = base, 2
        while name in named:
            name, number = f"{base}-{number}", number + 1
        named[name] = model
    return tuple(named.items())


def _quoted(text: str) -> str:
    return json.dumps(text)


def _local_deployment(name: str, model: LocalModel) -> str:
    context = f"\n    context_tokens: {model.context_tokens}" if model.context_tokens else ""
    price = (
        "price: {gpu_hour_usd: 2.00, tokens_per_second: 1000, utilisation: 0.3}"
        if model.runtime == "vllm"
        else "price: {gpu_hour_usd: 0.50, tokens_per_second: 50, utilisation: 0.2}"
    )
    place = f"# {model.runtime_title} on this machine: nothing leaves it, so it may see everything."
    clearance = "restricted"
    if not model.trusted:
        place = (
            f"# A server on the port of {model.runtime_title} that does not say it is one. It may\n"
            "  # pass requests on: raise its clearance once you know that it does not."
        )
        clearance = "internal"
    return f"""\
  {place}
  {name}:
    adapter: openai_compatible
    provider: {model.runtime}
    base_url: {_quoted(model.base_url)}
    model: {_quoted(model.model)}{context}
    clearance: {clearance}
    # An assumption: what the machine costs an hour, its speed, and how busy it is.
    {price}
"""


def _api_deployments(api: ApiAccess) -> str:
    small, large = API_PROVIDERS[api.provider]
    base_url = f"\n    base_url: {_quoted(api.base_url)}\n    self_hosted: false"
    address = base_url if api.base_url else ""
    variable = f"{api.provider.upper()}_API_KEY"
    return "".join(
        f"""\
  # {title}; its price comes from the built-in price book.
  {api.provider}-{size}:
    adapter: {api.provider}
    model: {model}{address}
    api_key: "env:{variable}"
    clearance: internal
"""
        for size, model, title in (
            ("small", small, f"{api.provider}, for easy questions"),
            ("large", large, f"{api.provider}, for hard questions"),
        )
    )


def _aliases(names: _Names, apis: tuple[ApiAccess, ...]) -> str:
    wanted: dict[str, None] = {}
    for _, model in names.local:
        wanted[model.model] = None
    for api in apis:
        wanted.update(dict.fromkeys((*API_PROVIDERS[api.provider], *_USUAL_NAMES[api.provider])))
    taken = {*names.at_home, *names.outside, "auto"}
    fitting = [name for name in wanted if _ALIAS.fullmatch(name) and name not in taken]
    lines = [
        "# Names that apps may ask for. Whatever they ask for, the routes below decide.",
        "aliases:",
        "  auto: {description: the best fitting model}",
        *(f"  {_quoted(name)}: {{}}" for name in fitting),
        "",
    ]
    return "\n".join(lines)


def _routes(names: _Names) -> str:
    lines = ["# The first route whose condition holds is taken.", "routes:"]
    if names.outside and names.local:
        lines += _route(
            "hard-and-harmless",
            "Only hard questions are worth a proprietary model's price.",
            '{difficulty: ">= 0.6", sensitivity: "<= internal"}',
            [*names.large, *names.small, *names.at_home],
        )
        lines += _route(
            "everything-else",
            "The models of this machine answer; others help out where the data allows it.",
            "",
            [*names.at_home[:-1], *names.small, *names.large, "onboard"],
        )
    elif names.outside:
        lines += _route(
            "hard-and-harmless",
            "Hard questions go to the large models.",
            '{difficulty: ">= 0.6", sensitivity: "<= internal"}',
            [*names.large, *names.small, "onboard"],
        )
        lines += _route(
            "easy-and-harmless",
            "Easy questions go to the small models.",
            '{sensitivity: "<= internal"}',
            [*names.small, *names.large, "onboard"],
        )
        lines += _route(
            "stays-home",
            "Confidential and restricted data stays on this machine.",
            "",
            ["onboard"],
        )
    else:
        lines += _route("everything", "Everything is answered on this machine.", "", names.at_home)
    return "\n".join(lines)


def _route(name: str, because: str, when: str, use: Iterable[str]) -> Iterator[str]:
    yield f"  - id: {name}"
    yield f"    because: {because}"
    if when:
        yield f"    when: {when}"
    yield f"    use: [{', '.join(use)}]"
    yield ""


def _tests(names: _Names) -> str:
    never = f", never: [{', '.join(names.outside)}]" if names.outside else ""
    lines = [
        "# Examples that must hold. `fairlead policy test FILE` runs them.",
        "tests:",
        "  - name: a card number stays on this machine",
        '    given: {text: "Is card 4111 1111 1111 1111 still valid?"}',
        f"    expect: {{sensitivity: restricted, deployment: {names.first_for_secrets}{never}}}",
    ]
    if names.outside:
        lines += [
            "  - name: a hard and harmless question gets a large model",
            "    given: {difficulty: 0.9, sensitivity: internal}",
            f"    expect: {{deployment: {names.large[0]}, route: hard-and-harmless}}",
        ]
    return "\n".join(lines) + "\n"


_HEAD = """\
# A policy for Fairlead, written on its first start out of what it found on this machine.
# It is yours now: change it and start the gateway again. To have it written anew, remove it.
#
# Check it with:   fairlead policy check FILE
# Test it with:    fairlead policy test FILE
# Ask it with:     fairlead policy explain FILE --text "some question"
fairlead: 1

# Every model that may be called. `clearance` is the most sensitive data that it may receive:
# public < internal < confidential < restricted."""

_ONBOARD = """\
  # The model that comes with Fairlead. It knows Fairlead and little else: the last way out.
  # To add a model of your own, copy an entry such as this one and name it in the routes:
  #   my-llama:
  #     adapter: openai_compatible
  #     base_url: "http://127.0.0.1:8000/v1"
  #     model: meta-llama/Llama-3-8B-Instruct
  #     clearance: restricted
  #     price: {gpu_hour_usd: 2.00, tokens_per_second: 1000, utilisation: 0.3}
  onboard:
    adapter: ctransformers
    model: fairlead-help
    clearance: restricted
    # An assumption: a share of this machine's processor at five cents an hour, a small model
    # that writes 200 tokens a second, and that is asked now and then.
    price: {gpu_hour_usd: 0.05, tokens_per_second: 200, utilisation: 0.1}
"""

_SENSITIVITY = """\
# A request in which nothing is found is `default`. Cards, keys and the like make it restricted,
# e-mail addresses, health and the like confidential, unless a line under `findings` says else.
sensitivity:
  default: internal
"""

_BUDGETS = """\
# Money caps. The names are org, team, app, user or key; `team/*` is one for each team.
# budgets:
#   - {scope: "team/*", usd: 500, per: month, on_exhausted: self_hosted_only}
"""
