"""What the policy file lays over the price book, and prices that change on a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.price_book import load_price_book
from gateway.core.deployment import Secret
from gateway.core.prices import Price, cost_of, cost_parts, is_unpriced, price_at, worst_cost
from gateway.core.usage import Usage
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.loader import read_policy
from policies.problems import PolicyError

BOOK = load_price_book()
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC).timestamp()
FORMS = (
    "input_usd_per_mtok: 3, output_usd_per_mtok: 15",
    "input_usd_per_mtok: 1.10",
    "cached_input_usd_per_mtok: 0.07, web_search_usd: 0.004",
    "discount: 0.15",
    "discount: 0.4, web_search_usd: 0.002",
)
usages = st.builds(
    Usage,
    input_tokens=st.integers(0, 400_000),
    output_tokens=st.integers(0, 50_000),
    web_searches=st.integers(0, 3),
    service_tier=st.sampled_from(["", "batch"]),
)


def compiled(price: str, model: str = "claude-sonnet-4-5", provider: str = "anthropic") -> Price:
    """The price of one deployment whose file says this."""
    text = (
        "fairlead: 1\ndeployments:\n  one:\n"
        f"    {{adapter: {provider}, model: {model}, clearance: internal, api_key: env:K,\n"
        f"     price: {price}}}\n"
        "aliases: {auto: {}}\nroutes:\n  - {id: all, use: [one]}\n"
    )
    policy: CompiledPolicy = compile_policy(
        read_policy(text, "p.yaml"), BOOK.price_of, lambda reference: Secret("x")
    )
    return policy.deployments["one"].price


def at(day: date) -> float:
    """Midnight UTC in epoch seconds."""
    return datetime.combine(day, time(), UTC).timestamp()


def test_a_figure_of_the_file_leaves_the_other_classes_at_list_price() -> None:
    """An agreed price of searches changes neither writing to a cache for an hour nor long input."""
    listed, agreed = compiled("{discount: 0}").listed, compiled("{web_search_usd: 0.004}")
    assert listed is not None
    long = Usage(input_tokens=300_000, cache_write_1h_tokens=1000, output_tokens=10)

    assert agreed.cache_write_1h == listed.cache_write_1h is not None
    assert cost_of(long, agreed, NOW) == cost_of(long, listed, NOW)
    assert cost_of(Usage(web_searches=1), agreed, NOW) == 4_000_000


def test_a_narrower_class_follows_the_wider_one_that_the_file_changed() -> None:
    """The list's price for an hour in the cache belongs to the list's price of input."""
    agreed = compiled("{input_usd_per_mtok: 1, cache_write_usd_per_mtok: 2}")

    rates = [agreed.rate(name) for name in ("cached_input", "cache_write", "cache_write_1h")]
    assert rates == [10**9, 2 * 10**9, 2 * 10**9]


def test_a_tier_has_its_list_price_unless_input_or_output_were_agreed_on() -> None:
    """Nobody said what the batch tier costs then: it costs the standard price, and is flagged."""
    usage = Usage(input_tokens=1000, output_tokens=100, service_tier="batch")
    kept = compiled("{cached_input_usd_per_mtok: 0.07}", "gpt-5", "openai")
    anew = compiled("{output_usd_per_mtok: 8}", "gpt-5", "openai")
    assert kept.listed is not None

    assert cost_of(usage, kept, NOW) == cost_of(usage, kept.listed, NOW)
    assert not is_unpriced(usage, kept, NOW)
    assert is_unpriced(usage, anew, NOW)


def test_a_discount_and_an_agreed_figure_can_stand_together() -> None:
    """15 % off, and searches at a price of their own."""
    agreed = compiled("{discount: 0.15, web_search_usd: 0.004}")
    assert agreed.listed is not None
    usage = Usage(input_tokens=300_000, output_tokens=1000)

    assert cost_of(usage, agreed, NOW) * 100 == cost_of(usage, agreed.listed, NOW) * 85
    assert cost_of(Usage(web_searches=1), agreed, NOW) == 4_000_000


def test_a_price_with_a_day_holds_from_its_midnight() -> None:
    """Before it the list price, then the first discount, then the second one."""
    price = compiled("[{from: 2027-01-01, discount: 0.5}, {from: 2026-10-01, discount: 0.2}]")
    assert price.listed is not None
    usage = Usage(input_tokens=1_000_000)
    listed = cost_of(usage, price.listed, NOW)
    first, second = at(date(2026, 10, 1)), at(date(2027, 1, 1))

    costs = [cost_of(usage, price, moment) for moment in (first - 1, first, second - 1, second)]
    assert [cost * 10 // listed for cost in costs] == [10, 8, 8, 5]
    parts = cost_parts(usage, price, second)
    assert [part.list_rate for part in parts] == [price_at(price.listed, usage, second).input]


def test_a_hold_at_midnight_covers_the_price_that_begins_then() -> None:
    """A call that is priced before or after costs no more than was held."""
    price = compiled(
        "[{input_usd_per_mtok: 1, output_usd_per_mtok: 1},"
        " {from: 2027-01-01, input_usd_per_mtok: 9, output_usd_per_mtok: 9}]"
    )
    midnight = at(date(2027, 1, 1))

    held = worst_cost(price, 1000, 1000, at=midnight - 5, seconds=10)
    assert held >= cost_of(Usage(input_tokens=1000, output_tokens=1000), price, midnight)


@given(data=st.data(), usage=usages)
def test_a_dated_price_is_the_one_that_stands_alone_on_its_day(
    data: st.DataObject, usage: Usage
) -> None:
    """Property: at every moment it costs what the price of that span costs by itself."""
    days = data.draw(
        st.lists(st.dates(date(2024, 1, 1), date(2028, 1, 1)), unique=True, max_size=4)
    )
    forms = [data.draw(st.sampled_from(FORMS)) for _ in range(len(days) + 1)]
    written = [f"{{{forms[0]}}}"]
    written += [f"{{from: {day}, {form}}}" for day, form in zip(days, forms[1:], strict=True)]
    dated = compiled(f"[{', '.join(data.draw(st.permutations(written)))}]")
    moment = data.draw(st.dates(date(2023, 6, 1), date(2028, 6, 1)).map(at)) + data.draw(
        st.sampled_from([0.0, 43_200.0, 86_399.0])
    )

    began = [day for day in days if at(day) <= moment]
    alone = compiled(f"{{{forms[days.index(max(began)) + 1] if began else forms[0]}}}")
    assert cost_of(usage, dated, moment) == cost_of(usage, alone, moment)
    assert is_unpriced(usage, dated, moment) == is_unpriced(usage, alone, moment)


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ("[{from: 2027-01-01, discount: 0.1}, {from: 2027-01-01, discount: 0.2}]", "begin at once"),
        ("[{discount: 0.1}, {discount: 0.2}]", "begin at once"),
        ("{from: soon, discount: 0.1}", "is not a day"),
        ("[]", "at least 1"),
        ("{discount: 0.1, gpu_hour_usd: 1}", "needs gpu_hour_usd, tokens_per_second"),
        (
            "{gpu_hour_usd: 1, tokens_per_second: 9, utilisation: 1, reasoning_usd_per_mtok: 1}",
            "by the hour or by the token",
        ),
        (
            "{from: 2027-01-01, gpu_hour_usd: 1, tokens_per_second: 9, utilisation: 1}",
            "one price",
        ),
    ],
)
def test_prices_that_say_two_things_are_refused(price: str, words: str) -> None:
    """With what is wrong."""
    with pytest.raises(PolicyError, match=words):
        compiled(price)


def test_the_first_day_of_an_unlisted_model_needs_a_price_before_it() -> None:
    """Else nobody could book a call today."""
    with pytest.raises(PolicyError, match="price book does not know it before that"):
        compiled("{from: 2027-01-01, input_usd_per_mtok: 1, output_usd_per_mtok: 1}", "own-1")


def test_another_day_is_another_revision() -> None:
    """Each line of the ledger says by which prices it was booked."""
    first, second = (
        compiled(f"{{from: {day}, discount: 0.1}}").revision for day in ("2027-01-01", "2027-01-02")
    )

    assert first != second
    assert first.startswith(BOOK.revision)


def test_days_may_pass_between_the_spans_of_the_book_itself() -> None:
    """A discount keeps the dates on which the list changes."""
    later = compiled(f"{{from: {date(2026, 1, 1) + timedelta(days=1)}, discount: 0.5}}")
    assert later.listed is not None
    usage = Usage(input_tokens=1000, output_tokens=1000)

    assert cost_of(usage, later, NOW) * 2 == cost_of(usage, later.listed, NOW)
