"""From a decision to candidates with caps, holds and an order."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.cascade import USUAL_CHECKS, Cascade
from gateway.core.decision import Decision
from gateway.core.deployment import Deployment
from gateway.core.health import Breaker
from gateway.core.money import MAX_NANOUSD
from gateway.core.planning import (
    MOST_OUTPUT_TOKENS,
    USUAL_SEARCHES,
    asked_tier,
    bound_candidate,
    make_plan,
    recounted,
    searches_cost,
    shrunk,
)
from gateway.core.prices import Price, PriceCase, worst_cost
from gateway.core.profile import FamilyTokens, Profile, TokenEstimate
from gateway.core.request import ChatRequest
from gateway.core.sensitivity import Sensitivity
from gateway.core.token_families import DEAREST_IMAGE

PRICE = Price(input=10**9, output=2 * 10**9, cached_input=10**8, cache_write=10**9)
HOUSE = Deployment(
    name="house",
    adapter="openai_compatible",
    model="m",
    clearance=Sensitivity.RESTRICTED,
    price=PRICE,
    retries=2,
)
FRONTIER = msgspec.structs.replace(HOUSE, name="frontier", max_output_tokens=1000)
PROFILE = Profile(
    sensitivity=Sensitivity.PUBLIC, tokens=TokenEstimate(expected=100, upper_bound=400)
)
NOTHING = Decision(candidates=(), route="r", revision="v")
ASKED = ChatRequest(wire="openai_chat", fields={}, model="auto", segments=(), size=400)


def plan(
    *deployments: Deployment,
    asked: ChatRequest = ASKED,
    breakers: dict[str, Breaker] | None = None,
    output_cap: int | None = None,
    reserve: tuple[Deployment, ...] = (),
    use_reserve: bool = False,
) -> list[tuple[str, int, int]]:
    decision = Decision(
        candidates=deployments, route="r", revision="v", output_cap=output_cap, reserve=reserve
    )
    made = make_plan(
        decision,
        asked,
        PROFILE,
        breakers or {},
        default_output_cap=4096,
        request_seconds=60,
        now=5.0,
        wall=1000.0,
        use_reserve=use_reserve,
    )
    assert made.deadline == 65.0
    return [(c.deployment.name, c.output_cap, c.hold_nanousd) for c in made.candidates]


def test_a_caller_without_a_cap_gets_one_and_the_hold_covers_it() -> None:
    """The default cap is sent upstream, so the hold can be kept."""
    assert plan(HOUSE) == [("house", 4096, worst_cost(PRICE, 400, 4096))]


def test_the_smallest_cap_wins() -> None:
    """The caller's, the policy's and the model's own limit are all kept."""
    asked = msgspec.structs.replace(ASKED, max_output_tokens=2000)

    assert plan(HOUSE, asked=asked)[0][1] == 2000
    assert plan(FRONTIER, asked=asked)[0][1] == 1000
    assert plan(FRONTIER, asked=asked, output_cap=50)[0][1] == 50


def test_several_choices_are_held_for_together() -> None:
    """`n` answers cost n times the output."""
    asked = msgspec.structs.replace(ASKED, choices=3, max_output_tokens=10)

    assert plan(HOUSE, asked=asked)[0][2] == worst_cost(PRICE, 400, 30)


def test_our_own_default_leaves_room_for_the_prompt() -> None:
    """A small context window is not overrun by a cap that nobody asked for."""
    small = msgspec.structs.replace(HOUSE, context_tokens=500)

    assert plan(small)[0][1] == 400


def test_an_absurd_cap_is_bounded_before_it_is_held() -> None:
    """The hold stays countable whatever number a caller writes."""
    asked = msgspec.structs.replace(ASKED, max_output_tokens=10**30, choices=128)
    ((_, cap, held),) = plan(HOUSE, asked=asked)

    assert cap == MOST_OUTPUT_TOKENS
    assert held <= MAX_NANOUSD


def test_a_resting_deployment_is_tried_last_but_is_not_dropped() -> None:
    """An open breaker is a reason to ask others first, not to refuse the caller."""
    resting = {"house": Breaker(open_until=2000.0)}

    assert [name for name, _, _ in plan(HOUSE, FRONTIER, breakers=resting)] == [
        "frontier",
        "house",
    ]
    assert [name for name, _, _ in plan(HOUSE, breakers=resting)] == ["house"]


def test_the_reserve_joins_only_where_a_budget_asks_for_it() -> None:
    """Models outside the route are for exhausted budgets alone."""
    assert len(plan(FRONTIER, reserve=(HOUSE,))) == 1
    assert [name for name, _, _ in plan(FRONTIER, reserve=(HOUSE,), use_reserve=True)] == [
        "frontier",
        "house",
    ]


def test_a_tier_that_the_caller_asks_for_is_held_for() -> None:
    """A dearer tier is never paid out of a hold for the standard one."""
    dear = msgspec.structs.replace(PRICE, output=5 * 10**9)
    price = msgspec.structs.replace(PRICE, cases=(PriceCase(price=dear, tier="priority"),))
    tiered = msgspec.structs.replace(HOUSE, price=price)
    asked = msgspec.structs.replace(ASKED, fields={"service_tier": msgspec.Raw(b'"priority"')})

    assert plan(tiered, asked=asked)[0][2] == worst_cost(dear, 400, 4096)
    assert plan(tiered)[0][2] == worst_cost(PRICE, 400, 4096)
    assert asked_tier(asked) == "priority"
    assert asked_tier(msgspec.structs.replace(ASKED, fields={"speed": msgspec.Raw(b"7")})) == ""


def test_the_cheapest_candidate_is_marked() -> None:
    """It is the one that budgets leave which downgrade."""
    decision = Decision(candidates=(HOUSE, FRONTIER), route="r", revision="v")
    made = make_plan(
        decision, ASKED, PROFILE, {}, default_output_cap=4096, request_seconds=1, now=0, wall=0
    )

    assert [one.cheapest for one in made.candidates] == [False, True]


@given(room=st.integers(0, 10**8), floor=st.integers(1, 4096))
def test_a_shrunk_candidate_fits_and_the_next_token_would_not(room: int, floor: int) -> None:
    """Property: the largest cap that the room pays for, or none below the floor."""
    whole = bound_candidate(
        HOUSE,
        Decision(candidates=(HOUSE,), route="r", revision="v"),
        ASKED,
        PROFILE,
        4096,
    )
    smaller = shrunk(whole, ASKED, PROFILE, room_nanousd=room, floor=floor, at=0.0, seconds=60)

    if smaller is None:
        assert worst_cost(PRICE, 400, floor) > room or whole.hold_nanousd <= room
        return
    assert floor <= smaller.output_cap < whole.output_cap
    assert smaller.hold_nanousd == worst_cost(PRICE, 400, smaller.output_cap) <= room
    more = worst_cost(PRICE, 400, smaller.output_cap + 1)
    assert more > room or smaller.output_cap + 1 == whole.output_cap


def test_searches_of_the_backend_are_held_for() -> None:
    """As many as the caller allows, or the usual number; nothing where nobody prices them."""
    price = msgspec.structs.replace(PRICE, web_search=10**13)

    def held(tools: bytes) -> int:
        return searches_cost(
            msgspec.structs.replace(ASKED, fields={"tools": msgspec.Raw(tools)}), price
        )

    cent = 10**7
    assert held(b'[{"type":"web_search_20250305","name":"web_search","max_uses":3}]') == 3 * cent
    assert held(b'[{"type":"web_search_preview"}, {"type":"function"}]') == USUAL_SEARCHES * cent
    assert held(b'[{"type":"function","function":{"name":"web_search"}}]') == 0
    assert held(b'{"web_search": 1}') == 0
    assert searches_cost(ASKED, price) == 0


def test_a_resting_rung_of_a_cascade_keeps_its_number() -> None:
    """Put behind the frontier, the house is a fallback, and no answer is sent down to it."""
    decision = Decision(
        candidates=(HOUSE, FRONTIER),
        route="r",
        revision="v",
        cascade=Cascade(ladder=("tiny", "house", "frontier"), checks=USUAL_CHECKS),
    )
    made = make_plan(
        decision,
        ASKED,
        PROFILE,
        {"house": Breaker(open_until=2000.0)},
        default_output_cap=4096,
        request_seconds=60,
        now=5.0,
        wall=1000.0,
    )

    assert [(one.deployment.name, one.rung) for one in made.candidates] == [
        ("frontier", 2),
        ("house", 1),
    ]
    assert all(one.checks == USUAL_CHECKS for one in made.candidates)


def test_who_overtakes_a_deployment_that_rests_is_policys_word() -> None:
    """Anybody of the route, only those at home, or nobody."""
    resting = {"house": Breaker(open_until=2000.0)}
    first = msgspec.structs.replace(HOUSE, self_hosted=False)
    at_home = msgspec.structs.replace(HOUSE, name="home", self_hosted=True)
    decision = Decision(candidates=(first, FRONTIER, at_home), route="r", revision="v")

    def order(answer: str) -> list[str]:
        made = make_plan(
            decision,
            ASKED,
            PROFILE,
            resting,
            default_output_cap=4096,
            request_seconds=60.0,
            now=0.0,
            wall=1000.0,
            provider_down=answer,
        )
        return [one.deployment.name for one in made.candidates]

    assert order("next_candidate") == ["frontier", "home", "house"]
    assert order("self_hosted_only") == ["home", "house"]
    assert order("refuse") == ["house", "frontier", "home"]


COUNTED = msgspec.structs.replace(
    PROFILE,
    tokens=TokenEstimate(
        expected=100,
        upper_bound=400,
        families=(
            FamilyTokens(family="o200k_base", expected=100, upper_bound=100, calibrated=100),
            FamilyTokens(family="llama2", expected=130, upper_bound=300, calibrated=260),
        ),
    ),
)


def test_each_deployment_is_held_by_its_own_tokenizer() -> None:
    """One whose tokenizer nobody counted with is held by the bound of any."""
    held = [
        bound_candidate(
            msgspec.structs.replace(HOUSE, tokenizer=tokenizer, calibrated_holds=calibrated),
            NOTHING,
            ASKED,
            COUNTED,
            50,
        )
        for tokenizer, calibrated in (
            ("o200k_base", False),
            ("llama2", False),
            ("llama2", True),
            ("claude", True),
        )
    ]

    assert [one.most_tokens for one in held] == [150, 350, 310, 450]
    assert [one.hold_nanousd for one in held] == [
        worst_cost(PRICE, tokens, 50) for tokens in (100, 300, 260, 400)
    ]


def test_an_image_is_held_by_what_its_model_bills() -> None:
    """Not by the dearest formula that there is."""
    tokens = TokenEstimate(expected=1_100, upper_bound=400 + 2 * DEAREST_IMAGE, images=2)
    profile = msgspec.structs.replace(PROFILE, tokens=tokens)
    known = msgspec.structs.replace(HOUSE, image_tokens=1_500)

    assert bound_candidate(known, NOTHING, ASKED, profile, 50).most_tokens == 3_450
    dearest = bound_candidate(HOUSE, NOTHING, ASKED, profile, 50).most_tokens
    assert dearest == 450 + 2 * DEAREST_IMAGE


def test_a_counted_candidate_is_held_for_less_or_left_as_it_is() -> None:
    """A hold that was refused is asked for again at what the tokens are."""
    house = msgspec.structs.replace(HOUSE, tokenizer="o200k_base")
    before = bound_candidate(house, NOTHING, ASKED, PROFILE, 50)
    after = recounted(before, ASKED, COUNTED, at=1000.0, seconds=60)

    assert after is not None
    assert (after.output_cap, after.hold_nanousd) == (50, worst_cost(PRICE, 100, 50))
    assert recounted(after, ASKED, COUNTED, at=1000.0, seconds=60) is None
