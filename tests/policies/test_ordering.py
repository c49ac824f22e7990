"""The order of candidates, strategy by strategy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from gateway.core.cascade import USUAL_CHECKS
from gateway.core.decision import Decision, Facts
from gateway.core.principal import Principal
from gateway.core.sensitivity import Sensitivity
from gateway.core.speed import Speed
from policies.compiled import CompiledPolicy
from policies.engine import decide
from policies.ordering import EXPLORING, chance

Decided = Callable[..., Decision]


def names(decision: Decision) -> list[str]:
    return [one.name for one in decision.candidates]


def use(text: str) -> str:
    return f"routes: [{{id: r, use: {text}}}]\n"


def speed(first_byte: float, rate: float | None = None) -> Speed:
    return Speed(first_byte_seconds=first_byte, tokens_per_second=rate)


def test_fastest_counts_the_whole_answer(decided: Decided) -> None:
    """A quick first byte does not make up for slow tokens in a long answer, but in a short one."""
    speeds = {"house": speed(0.1, 20), "tiny": speed(2.0, 200), "frontier": speed(1.0, 90)}
    long = decided(use("{strategy: fastest}"), speeds=speeds)
    short = decided(use("{strategy: fastest}"), speeds=speeds, max_output_tokens=5)

    assert names(long) == ["tiny", "frontier", "house"]
    assert names(short) == ["house", "frontier", "tiny"]


def test_what_nobody_measured_is_tried_first_by_a_few(decided: Decided) -> None:
    """So that it gets measured, and a slow unknown does not slow everybody."""
    speeds = {"house": speed(0.5), "tiny": speed(0.4)}
    text = use("{strategy: fastest}")
    asked = [f"req_{number}" for number in range(400)]
    orders = Counter(tuple(names(decided(text, speeds=speeds, request_id=one))) for one in asked)
    exploring = orders["frontier", "tiny", "house"]

    assert set(orders) == {("frontier", "tiny", "house"), ("tiny", "house", "frontier")}
    assert exploring == sum(chance("exploring", one) < EXPLORING for one in asked)
    assert 10 <= exploring <= 45


def test_with_no_speed_known_the_order_of_the_file_counts(decided: Decided) -> None:
    """Fastest without a figure is no reason to shuffle."""
    for number in range(50):
        decision = decided(use("{strategy: fastest}"), request_id=f"req_{number}")
        assert names(decision) == ["house", "tiny", "frontier"]


@pytest.mark.parametrize(
    ("weights", "given", "expected"),
    [
        # House and tiny are self-hosted without scores, so they are the baseline.
        ("{quality: 1}", {"difficulty": 0.9}, ["frontier", "house", "tiny"]),
        ("{cost: 1}", {"difficulty": 0.9}, ["tiny", "house", "frontier"]),
        ("{cost: 50%, quality: 50%}", {"difficulty": 0.1}, ["tiny", "frontier", "house"]),
        ("{cost: 50%, quality: 50%}", {"difficulty": 1.0}, ["frontier", "tiny", "house"]),
        ("{latency: 9, quality: 1}", {"difficulty": 1.0}, ["tiny", "frontier", "house"]),
    ],
)
def test_balanced_weighs_cost_latency_and_quality(
    decided: Decided, weights: str, given: dict[str, object], expected: list[str]
) -> None:
    """What counts more decides, and an easy request leaves quality little to say."""
    speeds = {"house": speed(8, 20), "tiny": speed(0.1, 100), "frontier": speed(1, 100)}
    decision = decided(use(f"{{strategy: balanced, weights: {weights}}}"), speeds=speeds, **given)

    assert names(decision) == expected


SPLIT = use("{strategy: split, shares: {house: 70%, tiny: 20%, frontier: 10%}}")


def firsts(decided: Decided, text: str, count: int = 2000, **given: object) -> Counter[str]:
    return Counter(
        decided(text, request_id=f"req_{number}", **given).candidates[0].name
        for number in range(count)
    )


def test_a_split_gives_each_its_share(decided: Decided) -> None:
    """Within what chance allows (2,000 draws; 4 standard deviations are under 0.042)."""
    drawn = firsts(decided, SPLIT)

    for name, share in (("house", 0.7), ("tiny", 0.2), ("frontier", 0.1)):
        assert drawn[name] / 2000 == pytest.approx(share, abs=0.042)


def test_a_split_is_drawn_alike_for_the_same_request(decided: Decided) -> None:
    """A decision can be made again: chance comes from the id."""
    first = decided(SPLIT, request_id="req_1")

    assert names(first) == names(decided(SPLIT, request_id="req_1"))
    assert sorted(names(first)) == ["frontier", "house", "tiny"]


def test_who_may_not_serve_leaves_its_share_to_the_others(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> None:
    """Nobody who was with another deployment moves."""
    whole = compiled(deployments + SPLIT)
    fewer = compiled(deployments + "constraints: [{id: c, forbid: [tiny]}]\n" + SPLIT)
    moved = Counter[str]()
    for number in range(1000):
        asked = facts(request_id=f"req_{number}")
        before, after = decide(whole, asked).candidates[0], decide(fewer, asked).candidates[0]
        if before.name == "tiny":
            moved[after.name] += 1
        else:
            assert after.name == before.name

    assert moved["house"] / moved.total() == pytest.approx(7 / 8, abs=0.1)


def test_a_share_of_nothing_only_falls_back(decided: Decided) -> None:
    """It is never the first and always the last."""
    text = use("{strategy: split, shares: {house: 0, tiny: 1}}")

    assert firsts(decided, text, 100) == {"tiny": 100}
    assert names(decided(text)) == ["tiny", "house"]


def test_a_sticky_split_is_drawn_by_who_asks(decided: Decided) -> None:
    """Every request of a session goes to the same deployment, and sessions are split."""
    text = SPLIT.replace("strategy: split,", "strategy: split, sticky: session,")
    one = firsts(decided, text, 50, session="s1")
    first = [decided(text, session=f"s{number}").candidates[0].name for number in range(300)]

    assert len(one) == 1
    assert Counter(first)["house"] / 300 == pytest.approx(0.7, abs=0.11)
    assert len(firsts(decided, text, 200)) == 3
    assert decided(text, session="s1").keep == ""


STICKY = use("{strategy: cheapest, sticky: user}")


def test_who_sticks_stays_with_the_deployment_that_served(decided: Decided) -> None:
    """The deployment of last time is first; the rest keeps the strategy's order."""
    who = Principal(key_id="k", user="ada")
    fresh = decided(STICKY, principal=who)
    again = decided(STICKY, principal=who, kept={"r": "frontier"})

    assert (names(fresh), fresh.keep) == (["tiny", "house", "frontier"], "user:ada")
    assert names(again) == ["frontier", "tiny", "house"]


def test_sticking_opens_no_door(decided: Decided) -> None:
    """What may not serve any more is left, and another route's memory does not count."""
    forbidden = decided(
        "constraints: [{id: c, forbid: [frontier]}]\n" + STICKY, kept={"r": "frontier"}
    )

    assert names(forbidden) == ["tiny", "house"]
    assert names(decided(STICKY, kept={"other": "frontier"}))[0] == "tiny"
    assert names(decided(use("{strategy: cheapest}"), kept={"r": "frontier"}))[0] == "tiny"


def test_nobody_without_a_name_sticks(decided: Decided) -> None:
    """A request without a session is ordered by the strategy."""
    assert decided(STICKY.replace("user", "session")).keep == ""


CASCADE = use("{cascade: [tiny, house, frontier], checks: [schema, {logprob: -1}]}")


def test_a_cascade_names_its_rungs_from_the_lowest_up(decided: Decided) -> None:
    """The order is the one named, and the decision carries the ladder and the checks."""
    decision = decided(CASCADE)

    assert names(decision) == ["tiny", "house", "frontier"]
    assert decision.cascade is not None
    assert decision.cascade.ladder == ("tiny", "house", "frontier")
    assert decision.cascade.checks.words() == ("schema", "logprob -1")


def test_a_cascade_loses_the_rungs_above_a_clearance(decided: Decided) -> None:
    """What is left is climbed; what is cut off is no candidate for any attempt."""
    decision = decided(CASCADE, sensitivity=Sensitivity.RESTRICTED)

    assert names(decision) == ["house"]


def test_a_cascade_without_checks_has_the_usual_ones(decided: Decided) -> None:
    """Those that cost nothing; other strategies have none."""
    usual = decided(use("{cascade: [tiny, frontier]}")).cascade

    assert usual is not None
    assert usual.checks == USUAL_CHECKS
    assert decided(use("[tiny, frontier]")).cascade is None


AIMED = use("{among: [house, tiny, frontier], target: {frontier_share: 30%}}")


def test_a_target_sends_what_reaches_the_threshold_to_the_last_deployment(
    decided: Decided,
) -> None:
    """Harder requests get the strong deployment first, all others get it last."""
    told = {"thresholds": {"r": 0.7}}
    hard = decided(AIMED, difficulty=0.8, **told)
    easy = decided(AIMED, difficulty=0.6, **told)

    assert names(hard) == ["frontier", "house", "tiny"]
    assert names(easy) == ["house", "tiny", "frontier"]
    assert hard.aim is not None
    assert easy.aim is not None
    assert (hard.aim.strong, hard.aim.free, hard.aim.value) == (True, True, 1_000_000)
    assert (easy.aim.strong, easy.aim.free, easy.aim.value) == (False, True, 0)


def test_requests_of_one_difficulty_are_divided_by_their_ids(decided: Decided) -> None:
    """A threshold within a step takes its part of them, and the same ones every time."""
    told = {"thresholds": {"r": 0.5025}}  # the middle of the step from 0.5 to 0.505
    asked = [f"req_{number}" for number in range(400)]
    first = [names(decided(AIMED, request_id=one, **told))[0] for one in asked]
    again = [names(decided(AIMED, request_id=one, **told))[0] for one in asked]

    assert first == again
    assert 150 < first.count("frontier") < 250


def test_a_target_never_reaches_past_a_clearance(decided: Decided) -> None:
    """Who may not go outside stays, and counts as having had no choice."""
    kept = decided(AIMED, difficulty=0.99, sensitivity=Sensitivity.RESTRICTED)

    assert names(kept) == ["house"]
    assert kept.aim is not None
    assert (kept.aim.free, kept.aim.value) == (False, 0)


@pytest.mark.parametrize(
    ("target", "low", "high"),
    [("{quality: 90%}", 400_000, 1_000_000), ("{spend: {usd: 5, per: day}}", 530_000, 2_400_000)],
)
def test_what_both_ways_are_worth_is_told_with_the_decision(
    decided: Decided, target: str, low: int, high: int
) -> None:
    """Predicted quality in millionths, likely cost in nano-USD."""
    text = use(f"{{among: [house, frontier], target: {target}}}")
    aim = decided(text, difficulty=0.6, thresholds={"r": 0.5}).aim

    assert aim is not None
    assert (aim.low, aim.high, aim.strong) == (low, high, True)


def test_a_share_of_the_requests_explores_the_others(decided: Decided) -> None:
    """A tenth, drawn by the id; of equals each as often as any."""
    text = use("{among: [frontier, house, tiny], explore: 10%}")
    asked = [f"req_{number}" for number in range(2000)]
    firsts = Counter(names(decided(text, request_id=one))[0] for one in asked)

    assert firsts["tiny"] + firsts["house"] == pytest.approx(200, abs=45)
    assert firsts["tiny"] == pytest.approx(firsts["house"], abs=45)


def test_who_is_known_to_be_poor_is_explored_less_than_who_is_hardly_known(
    decided: Decided,
) -> None:
    """What use has taught, and from how many answers, decides whom the draws favour."""
    text = use("{among: [frontier, house, tiny], explore: 20%}")
    taught = {"shifts": {"house": -1.0}, "answers": {"house": 500.0}}
    asked = [f"req_{number}" for number in range(2000)]
    firsts = Counter(names(decided(text, request_id=one, **taught))[0] for one in asked)

    assert firsts["tiny"] > 5 * firsts["house"]
    assert firsts["tiny"] + firsts["house"] == pytest.approx(400, abs=60)


def test_exploring_never_reaches_past_a_clearance(decided: Decided) -> None:
    """It draws among candidates, so what is forbidden stays so."""
    text = use("{among: [house, tiny, frontier], explore: 20%}")
    found = {
        name
        for number in range(200)
        for name in names(
            decided(text, request_id=f"req_{number}", sensitivity=Sensitivity.CONFIDENTIAL)
        )
    }

    assert found == {"house", "tiny"}


def test_what_use_has_taught_moves_the_predicted_quality(decided: Decided) -> None:
    """A deployment that was rated poor loses to an equal one."""
    text = use("{strategy: balanced, among: [house, tiny], weights: {quality: 1}}")

    assert names(decided(text)) == ["house", "tiny"]
    assert names(decided(text, shifts={"house": -1.0})) == ["tiny", "house"]
    assert names(decided(text, shifts={"tiny": 0.5})) == ["tiny", "house"]


def test_a_cascade_begins_where_the_predicted_quality_is_enough(decided: Decided) -> None:
    """Hard requests pass over the rungs below, which stay as fallbacks; the top is never passed."""
    text = use("{cascade: [house, tiny, frontier], least_quality: 50%}")

    assert names(decided(text, difficulty=0.4)) == ["house", "tiny", "frontier"]
    assert names(decided(text, difficulty=0.6)) == ["frontier", "house", "tiny"]
    taught = decided(text, difficulty=0.6, shifts={"tiny": 1.0})
    assert names(taught) == ["tiny", "frontier", "house"]
    poor = decided(text, difficulty=0.9, sensitivity=Sensitivity.RESTRICTED)
    assert names(poor) == ["house"]
