"""Tallies of replayed decisions: what counts as which change, and parts that add up."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import replaying
from gateway.core.replaying import KINDS, MOST_EXAMPLES, Counts, Replayed, Side, Tally

HOME, HOME_TOO = Side(destination="house", cost_nanousd=5), Side(destination="tiny")
AWAY = Side(destination="frontier", outside=True, cost_nanousd=70)
AWAY_TOO = Side(destination="other", outside=True)
NOWHERE = Side(destination="", refusal="no_candidate")


def one(before: Side, after: Side, **fields: object) -> Replayed:
    known: dict[str, object] = {"request_id": "r", "team": "a", "model": "auto"}
    return Replayed(before=before, after=after, **{**known, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (HOME, HOME, set()),
        (HOME, HOME_TOO, {"moved"}),
        (HOME, AWAY, {"moved", "newly_outside"}),
        (AWAY, HOME, {"moved", "newly_home"}),
        (AWAY, AWAY_TOO, {"moved"}),
        (HOME, NOWHERE, {"moved", "newly_refused"}),
        (AWAY, NOWHERE, {"moved", "newly_refused"}),
        (NOWHERE, AWAY, {"moved", "newly_served", "newly_outside"}),
        (NOWHERE, HOME, {"moved", "newly_served"}),
        (NOWHERE, NOWHERE, set()),
    ],
)
def test_a_change_has_its_kinds(before: Side, after: Side, kinds: set[str]) -> None:
    """Going outside counts wherever the request was before."""
    assert set(one(before, after).kinds()) == kinds


def test_obligations_and_levels_are_changes_too() -> None:
    """Also where the destination stays."""
    assert set(one(HOME, HOME, obliged=True, relevelled=True).kinds()) == {"obliged", "relevelled"}
    assert set(KINDS) <= set(Counts.__struct_fields__)


def test_everything_is_counted_by_team_model_and_way() -> None:
    """Costs as they were and would be; requests that stay have no way."""
    tally = Tally()
    tally.count(one(HOME, AWAY, request_id="r1"), 10.0)
    tally.count(one(HOME, HOME, team="b", agrees=True), 5.0)
    tally.count(one(AWAY, AWAY, agrees=False, request_id="r3"), 7.0)
    tally.skip("made before")

    assert (tally.total.requests, tally.total.newly_outside) == (3, 1)
    assert (tally.total.cost_before, tally.total.cost_after, tally.total.cost_delta) == (
        80,
        145,
        65,
    )
    assert tally.rows["a"]["auto"].requests == 2
    assert list(tally.ways) == ["house"]
    assert tally.ways["house"]["frontier"].cost_delta == 65
    assert (tally.disagreeing, tally.read, tally.skipped) == (1, 4, {"made before": 1})
    assert tally.examples == {"newly_outside": ["r1"], "moved": ["r1"], "disagreeing": ["r3"]}
    assert (tally.first, tally.last) == (5.0, 10.0)


sides = st.sampled_from((HOME, HOME_TOO, AWAY, AWAY_TOO, NOWHERE))
replays = st.builds(
    one, sides, sides, team=st.sampled_from("abc"), obliged=st.booleans(), guessed=st.booleans()
)


@given(st.lists(st.tuples(replays, st.floats(0, 100))), st.data())
def test_parts_add_up_to_the_whole_in_any_order(
    counted: list[tuple[Replayed, float]], data: st.DataObject
) -> None:
    """As several processes or gateways count them; also after they were written down."""
    whole, parts = Tally(), [Tally(), Tally(), Tally()]
    for replayed, at in counted:
        whole.count(replayed, at)
        parts[data.draw(st.integers(0, 2))].count(replayed, at)
    together = Tally()
    for part in data.draw(st.permutations(parts)):
        together.add(msgspec.json.decode(msgspec.json.encode(part), type=Tally))

    whole.examples.clear()
    together.examples.clear()
    assert together == whole


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples and rows beyond a bound are counted together."""
    monkeypatch.setattr(replaying, "MOST_ROWS", 3)
    tally = Tally()
    for number in range(MOST_EXAMPLES + 5):
        tally.count(one(HOME, AWAY, team=f"t{number}", request_id=f"r{number}"), 0.0)

    assert len(tally.examples["moved"]) == MOST_EXAMPLES
    assert list(tally.rows) == ["t0", "t1", "t2", "(others)"]
    assert tally.rows["(others)"]["auto"].requests == MOST_EXAMPLES + 2
