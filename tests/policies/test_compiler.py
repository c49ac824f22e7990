"""From the file to what decides: prices, secrets, defaults and the revision."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.deployment import SHIPPED_ADAPTERS, AdapterFacts, Secret
from gateway.core.sensitivity import Sensitivity
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.loader import read_policy
from policies.problems import PolicyError

Compiled = Callable[[str], CompiledPolicy]
ROUTES = "routes: [{id: all, use: [frontier, house, tiny]}]\n"


def only(price: str, adapter: str = "ctransformers") -> str:
    key = ', api_key: "env:KEY"' if adapter == "openai" else ""
    return (
        "fairlead: 1\ndeployments:\n"
        f"  one: {{adapter: {adapter}, model: gpt-4o, clearance: internal{key}, price: {price}}}\n"
        "aliases: {auto: {}}\nroutes: [{id: all, use: [one]}]\n"
    )


def test_a_machine_by_the_hour_costs_by_the_token(compiled: Compiled) -> None:
    """$2.10 an hour at 1,800 tokens a second, 40% busy, is $0.810185 for a million tokens."""
    text = only("{gpu_hour_usd: 2.10, tokens_per_second: 1800, utilisation: 0.4}")

    price = compiled(text).deployments["one"].price

    assert price.input == price.output == price.cached_input == price.cache_write == 810_185_185


def test_what_nobody_priced_costs_what_input_costs(compiled: Compiled) -> None:
    """Cache classes without a figure are never free."""
    price = (
        compiled(only("{input_usd_per_mtok: 3, output_usd_per_mtok: 15}")).deployments["one"].price
    )

    assert (price.input, price.output) == (3_000_000_000, 15_000_000_000)
    assert (price.cached_input, price.cache_write) == (3_000_000_000, 3_000_000_000)
    assert (price.per_request, price.source) == (0, "policy")


def test_every_class_of_price_is_read(compiled: Compiled) -> None:
    """All figures of the file arrive as exact integers."""
    text = only(
        "{input_usd_per_mtok: 3, output_usd_per_mtok: 15, cached_input_usd_per_mtok: 0.3, "
        "cache_write_usd_per_mtok: 3.75, per_request_usd: 0.000000001}"
    )

    price = compiled(text).deployments["one"].price

    assert (price.cached_input, price.cache_write, price.per_request) == (3 * 10**8, 375 * 10**7, 1)


def test_the_file_wins_over_the_price_book(compiled: Compiled) -> None:
    """Figures that the file gives replace the list's; the rest stays the list's."""
    price = compiled(only("{output_usd_per_mtok: 8}", "openai")).deployments["one"].price

    assert (price.input, price.output, price.cached_input) == (25 * 10**8, 8 * 10**9, 125 * 10**7)
    assert price.source == "policy over list"
    assert price.revision.startswith("r1+")
    assert price.listed is not None
    assert price.listed.output == 10**10


def test_a_discount_is_off_the_price_book(compiled: Compiled) -> None:
    """An agreed share off every figure; the list price is kept, and the revision says so."""
    price = compiled(only("{discount: 0.2}", "openai")).deployments["one"].price

    assert (price.input, price.output, price.cached_input) == (2 * 10**9, 8 * 10**9, 10**9)
    assert price.listed is not None
    assert (price.listed.input, price.listed.revision) == (25 * 10**8, "r1")
    assert price.source == "policy: 20 % off list"
    assert (
        price.revision
        != compiled(only("{discount: 0.3}", "openai")).deployments["one"].price.revision
    )


def test_a_discount_needs_a_price_to_be_off(compiled: Compiled) -> None:
    """For a model that the book does not know it is no price."""
    with pytest.raises(PolicyError, match="a discount is off the price book"):
        compiled(only("{discount: 0.2}"))


def test_every_class_can_be_priced(compiled: Compiled) -> None:
    """Own figures for writes of an hour, reasoning, audio, pictures and searches."""
    text = only(
        "{input_usd_per_mtok: 3, output_usd_per_mtok: 15, cache_write_1h_usd_per_mtok: 6, "
        "reasoning_usd_per_mtok: 20, input_audio_usd_per_mtok: 30, output_audio_usd_per_mtok: 60, "
        "input_image_usd_per_mtok: 4, output_image_usd_per_mtok: 40, web_search_usd: 0.01}"
    )
    price = compiled(text).deployments["one"].price

    names = ("cache_write_1h", "reasoning", "input_audio", "output_audio", "input_image")
    assert [price.rate(name) // 10**9 for name in names] == [6, 20, 30, 60, 4]
    assert (price.rate("output_image"), price.rate("web_search")) == (40 * 10**9, 10**13)


def test_a_machine_that_reads_faster_than_it_writes(compiled: Compiled) -> None:
    """Input and output have their own standard cost; the machine is kept for reports."""
    text = only(
        "{gpu_hour_usd: 3.6, tokens_per_second: 1000, input_tokens_per_second: 10000, "
        "utilisation: 0.5}"
    )
    price = compiled(text).deployments["one"].price

    assert (price.input, price.output) == (2 * 10**8, 2 * 10**9)
    assert price.machine is not None
    assert price.machine.hour_nanousd == 36 * 10**8


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("{}", "its price needs input_usd_per_mtok and output_usd_per_mtok"),
        ("{input_usd_per_mtok: 1}", "its price needs input_usd_per_mtok and output_usd_per_mtok"),
        ("{gpu_hour_usd: 1}", "its price needs gpu_hour_usd, tokens_per_second and utilisation"),
        (
            "{gpu_hour_usd: 1, tokens_per_second: 9, utilisation: 1, input_usd_per_mtok: 1}",
            "its price is either by the hour or by the token, not both",
        ),
    ],
)
def test_half_a_price_is_refused_at_its_place(
    compiled: Compiled, price: str, expected: str
) -> None:
    """The place is that of the price, and the line to add is told."""
    with pytest.raises(PolicyError) as caught:
        compiled(only(price))

    problem = caught.value.problems[0]
    assert (problem.line, problem.code) == (3, "p004")
    assert expected in problem.message
    assert "price: {gpu_hour_usd: " in problem.hint


def test_an_unpriced_deployment_is_refused_with_the_line_to_add(compiled: Compiled) -> None:
    """A model outside, unknown to the price book, is told the per-token line."""
    text = only("", "openai").replace(", price: }", "}").replace("gpt-4o", "gpt-99")

    with pytest.raises(PolicyError) as caught:
        compiled(text)

    assert "test.yaml:3:3: the deployment 'one' (openai, gpt-99) cannot be booked" in str(
        caught.value
    )
    assert "price: {input_usd_per_mtok: 2.50, output_usd_per_mtok: 10.00}" in str(caught.value)


def test_a_model_at_home_is_not_booked_at_its_makers_price(compiled: Compiled) -> None:
    """The same model name behind another provider has no list price."""
    text = only("", "ctransformers").replace(", price: }", "}")

    with pytest.raises(PolicyError, match="no price is known for it"):
        compiled(text)


def test_secrets_are_resolved_and_never_shown(compiled: Compiled, deployments: str) -> None:
    """Keys and headers get their values, and no repr of the policy shows one."""
    text = deployments.replace(
        'api_key: "env:KEY"',
        'api_key: "env:KEY", headers: {x-note: hello, x-api-key: "file:/run/key"}',
    )

    policy = compiled(text + ROUTES)
    frontier = policy.deployments["frontier"]

    assert frontier.api_key == Secret("value of env:KEY")
    assert frontier.headers == (("x-note", "hello"),)
    assert frontier.secret_headers == (("x-api-key", Secret("value of file:/run/key")),)
    assert "value of" not in repr(policy)


def test_every_missing_secret_is_named_with_its_place(compiled: Compiled, deployments: str) -> None:
    """An unset variable and an unreadable file are told where they are asked for."""
    text = deployments.replace(
        'api_key: "env:KEY"', 'api_key: "env:MISSING_KEY", headers: {x-api-key: "file:/MISSING"}'
    )

    with pytest.raises(PolicyError) as caught:
        compiled(text + ROUTES)

    told = str(caught.value)
    assert "test.yaml:7:55: the environment variable MISSING_KEY is not set" in told
    assert "the secret file '/MISSING' cannot be read or is empty" in told


def test_deployments_take_defaults(compiled: Compiled, deployments: str) -> None:
    """What a deployment does not say comes from `defaults`; its own word wins."""
    text = deployments.replace(
        "model: llama,", "model: llama, retries: 3, timeout_seconds: 9, on_lossy: record,"
    )
    defaults = (
        "defaults: {max_output_tokens: 50, request_timeout_seconds: 60, "
        "first_byte_seconds: 4.5, retries: 0, on_lossy: refuse}\n"
    )

    policy = compiled(text + defaults + ROUTES)
    house, tiny = policy.deployments["house"], policy.deployments["tiny"]

    assert (house.retries, house.timeout_seconds, house.first_byte_seconds) == (3, 9.0, 4.5)
    assert (tiny.retries, tiny.timeout_seconds, tiny.first_byte_seconds) == (0, 60.0, 4.5)
    assert (house.on_lossy, tiny.on_lossy) == ("record", "refuse")
    assert policy.defaults.max_output_tokens == 50


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ('adapter: openai_compatible, base_url: "http://127.0.0.1:1/v1"', True),
        ('adapter: openai_compatible, base_url: "http://localhost:1/v1"', True),
        ('adapter: openai_compatible, base_url: "http://[::1]:1/v1"', True),
        ('adapter: openai_compatible, base_url: "https://api.example/v1"', False),
        ('adapter: openai_compatible, base_url: "http://127.0.0.1.evil.example/v1"', False),
        ('adapter: openai_compatible, base_url: "http://10.0.0.1/v1", self_hosted: true', True),
        ("adapter: ctransformers", True),
        ("adapter: shop", True),
        ('adapter: shop, base_url: "http://elsewhere.example/v1"', False),
    ],
)
def test_what_is_self_hosted_when_the_file_does_not_say(settings: str, expected: bool) -> None:
    """Loopback and local adapters are; a vendor's runtime elsewhere is not by itself."""
    adapters = {
        **SHIPPED_ADAPTERS,
        "shop": AdapterFacts(
            name="shop", default_base_url="http://192.168.0.9/v1", self_hosted=True
        ),
    }
    text = (
        f"fairlead: 1\ndeployments:\n  one: {{{settings}, model: m, clearance: internal, "
        "price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}}\n"
        "routes: [{id: all, use: [one]}]\n"
    )

    policy = compile_policy(
        read_policy(text, "t"), lambda provider, model: None, lambda reference: None, adapters
    )

    assert policy.deployments["one"].self_hosted is expected


def test_a_level_may_bring_its_reason(compiled: Compiled, deployments: str) -> None:
    """The long form of a level compiles to the same as the short one, under one revision."""
    short = compiled(
        deployments + "sensitivity: {default: public, findings: {email: internal}}\n" + ROUTES
    )
    long = compiled(
        deployments.replace("clearance: internal", "clearance: {level: internal, because: Why.}")
        + "sensitivity: {default: {level: public, because: Ads.},"
        + " findings: {email: {level: internal, because: Footers.}}}\n"
        + ROUTES
    )

    assert long.rules == short.rules
    assert long.deployments == short.deployments
    assert long.revision == short.revision


def test_findings_map_over_the_default_levels(compiled: Compiled, deployments: str) -> None:
    """A named type gets the file's level; all others keep theirs."""
    section = "sensitivity: {default: public, findings: {email: internal}, weak_pair: restricted}\n"

    rules = compiled(deployments + section + ROUTES).rules

    assert (rules.default, rules.weak_pair) == (Sensitivity.PUBLIC, Sensitivity.RESTRICTED)
    assert rules.levels["email"] is Sensitivity.INTERNAL
    assert rules.levels["payment_card"] is Sensitivity.RESTRICTED


BASE = (
    "constraints: [{id: a, when: {findings: [email, phone], team: x}, forbid: [tiny]},"
    " {id: b, mask: email}]\n"
    'routes: [{id: r, when: {difficulty: ">= 0.60"}, use: [house]}, {id: s, use: [tiny]}]\n'
    "budgets: [{scope: team/a, usd: 5}, {scope: team/b, usd: 6}]\n"
)
SAME = {
    "comments and blank lines": lambda text: "# hello\n\n" + text.replace("\n", "\n\n"),
    "layout": lambda text: text.replace("{id: b, mask: email}", "{\n  id: b,\n  mask: [email]}"),
    "digits": lambda text: text.replace("0.60", "0.6").replace("usd: 5", "usd: 5.00"),
    "order of keys": lambda text: text.replace(
        "{findings: [email, phone], team: x}", "{team: x, findings: [phone, email]}"
    ),
    "order of constraints": lambda text: text.replace(
        "{id: a, when: {findings: [email, phone], team: x}, forbid: [tiny]}, {id: b, mask: email}",
        "{id: b, mask: email}, {id: a, when: {findings: [email, phone], team: x}, forbid: [tiny]}",
    ),
    "order of budgets": lambda text: text.replace(
        "{scope: team/a, usd: 5}, {scope: team/b, usd: 6}",
        "{scope: team/b, usd: 6}, {scope: team/a, usd: 5}",
    ),
    "order of aliases": lambda text: text.replace(
        "{auto: {}, gpt-4o: {}}", "{gpt-4o: {}, auto: {}}"
    ),
    "tests": lambda text: text + "tests: [{name: t, given: {difficulty: 1}, expect: {route: r}}]\n",
}
OTHER = {
    "a price": lambda text: text.replace("output_usd_per_mtok: 2", "output_usd_per_mtok: 2.01"),
    "a clearance": lambda text: text.replace("clearance: confidential", "clearance: internal"),
    "a condition": lambda text: text.replace("0.60", "0.61"),
    "a comparison": lambda text: text.replace(">= 0.60", "> 0.60"),
    "an effect": lambda text: text.replace("forbid: [tiny]", "forbid: [house]"),
    "a reason": lambda text: text.replace("id: b,", "id: b, because: So.,"),
    "order of routes": lambda text: text.replace("{id: s, use: [tiny]}", "").replace(
        "routes: [", "routes: [{id: s, use: [tiny]}, "
    ),
    "a budget": lambda text: text.replace("usd: 6", "usd: 7"),
    "a secret's name": lambda text: text.replace("env:KEY", "env:OTHER"),
    "a default": lambda text: text + "defaults: {max_output_tokens: 7}\n",
    "an alias": lambda text: text.replace("gpt-4o: {}", "gpt-5: {}"),
    "a level": lambda text: text + "sensitivity: {default: public}\n",
}


@pytest.mark.parametrize("change", SAME)
def test_the_revision_ignores_what_means_nothing(
    compiled: Compiled, deployments: str, change: str
) -> None:
    """Layout, comments, tests and the order of what has none leave the revision as it is."""
    text = deployments + BASE
    changed = SAME[change](text)

    assert changed != text
    assert compiled(changed).revision == compiled(text).revision


@pytest.mark.parametrize("change", OTHER)
def test_the_revision_changes_with_the_meaning(
    compiled: Compiled, deployments: str, change: str
) -> None:
    """Whatever could change a decision, a bound, a price or a reason changes the revision."""
    text = deployments + BASE
    changed = OTHER[change](text)

    assert changed != text
    assert compiled(changed).revision != compiled(text).revision


def test_every_problem_of_meaning_is_told_at_once(compiled: Compiled, deployments: str) -> None:
    """Checks and missing secrets are collected together, in the order of the file."""
    text = (
        deployments.replace("env:KEY", "env:MISSING") + "routes: [{id: r, use: [hose, nobody]}]\n"
    )

    with pytest.raises(PolicyError) as caught:
        compiled(text)

    told = [(one.line, one.code) for one in caught.value.problems]
    assert told == [(7, ""), (9, "p001"), (9, "p001")]
    assert "there is no deployment 'hose' (did you mean 'house'?) [p001]" in str(caught.value)
