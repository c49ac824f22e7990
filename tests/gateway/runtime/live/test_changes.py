"""A change comes into force everywhere, or nothing changes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.core.versions import PolicyVersion
from gateway.runtime.live.changes import Overtaken, chosen
from gateway.stores import versions
from gateway.stores.versions import ask
from policies.problems import PolicyError
from tests.gateway.runtime.live.conftest import BROKEN, FAILING, UNFIT, Stand, text


async def test_a_change_is_in_force_here_and_with_every_other_worker(new_stand: Any) -> None:
    """Whoever made it serves by it when it returns; the others at their next look."""
    mine, theirs = await new_stand(), await new_stand()
    await mine.turn()
    changed = await mine.changes.bring(text("second"), source="admin", by="ann", note="why not")
    await theirs.follower.look()

    assert (mine.route(), theirs.route()) == ("second", "second")
    assert changed.is_new
    version = changed.version
    assert (version.number, version.source, version.by, version.note) == (
        2,
        "admin",
        "ann",
        "why not",
    )
    assert "-routes: [{id: first, use: [house]}]" in version.diff
    assert version.revision == mine.rulings.current.policy.revision
    assert await mine.follower.behind(2, 5.0) == []


@pytest.mark.parametrize("wrong", [BROKEN, UNFIT, FAILING])
async def test_what_is_wrong_changes_nothing(stand: Stand, wrong: str) -> None:
    """No version, no other ruling."""
    before = stand.rulings.current
    with pytest.raises(PolicyError):
        await stand.changes.bring(wrong, source="admin", by="ann")

    assert stand.rulings.current is before
    assert (await ask(stand.connection, versions.head())).number == 1


async def test_a_deployment_that_cannot_be_opened_changes_nothing(stand: Stand) -> None:
    """Adapters look at their own options; a wrong one is found before anything is published."""
    wrong = text("second").replace("model: m,", "model: m, options: {colour: red},")
    with pytest.raises(PolicyError, match="colour"):
        await stand.changes.bring(wrong, source="admin", by="ann")

    assert (await ask(stand.connection, versions.head())).number == 1


async def test_the_same_text_makes_no_version(stand: Stand) -> None:
    """Bringing what is in force is harmless."""
    changed = await stand.changes.bring(text(), source="admin", by="ann")

    assert not changed.is_new
    assert changed.version.number == 1


async def test_a_change_from_an_old_revision_is_overtaken(stand: Stand) -> None:
    """And says which revision is in force by now."""
    first = stand.rulings.current.policy.revision
    await stand.changes.bring(text("second"), source="admin", by="ann", from_revision=first)
    with pytest.raises(Overtaken) as caught:
        await stand.changes.bring(text("third"), source="admin", by="bob", from_revision=first)

    assert caught.value.current == stand.rulings.current.policy.revision
    assert stand.route() == "second"


async def test_of_changes_at_once_from_one_revision_one_wins(new_stand: Any) -> None:
    """Made on different workers, neither of which knows of the other."""
    stands = [await new_stand() for _ in range(4)]
    await stands[0].turn()
    first = stands[0].rulings.current.policy.revision
    outcomes = await asyncio.gather(
        *(
            one.changes.bring(text(f"r{n}"), source="admin", by=f"{n}", from_revision=first)
            for n, one in enumerate(stands)
        ),
        return_exceptions=True,
    )
    for one in stands:
        await one.follower.look()

    lost = [one for one in outcomes if isinstance(one, Overtaken)]
    assert len(lost) == 3
    assert len({one.route() for one in stands}) == 1


async def test_rolling_back_brings_the_very_text_again_as_a_new_version(stand: Stand) -> None:
    """History only grows; comments come back, too."""
    commented = text("second") + "# agreed with security\n"
    await stand.changes.bring(commented, source="admin", by="ann")
    revision = stand.rulings.current.policy.revision
    await stand.changes.bring(text("third"), source="admin", by="bob")
    changed = await stand.changes.roll_back(revision[:6], by="eve", from_revision=None)

    assert stand.follower.in_force.text == commented
    version = changed.version
    assert (version.number, version.source, version.note) == (4, "rollback", "back to version 2")
    assert version.revision == revision


async def test_rolling_back_to_nothing_known_says_where_to_look(stand: Stand) -> None:
    """Not even to what is in force already."""
    with pytest.raises(LookupError, match="policy versions"):
        await stand.changes.roll_back("fffff", by="eve", from_revision=None)


async def test_a_version_that_cannot_be_used_here_leaves_the_last_good_one(new_stand: Any) -> None:
    """Another machine may have the secret that this one lacks; it says so, and goes on trying."""
    secret = text("second").replace("model: m,", 'model: m, api_key: "env:HOUSE_KEY",')
    rich = await new_stand(environ={"HOUSE_KEY": "k"})
    poor = await new_stand()
    await rich.turn()
    await poor.follower.look()
    await rich.changes.bring(secret, source="admin", by="ann")
    await poor.follower.look()
    late = await rich.follower.behind(2, 5.0)

    assert (rich.route(), poor.route()) == ("second", "first")
    assert "HOUSE_KEY is not set" in poor.follower.problem
    assert [(one.worker, one.number) for one in late] == [(poor.follower.worker, 1)]
    assert "HOUSE_KEY is not set" in late[0].problem
    assert "fairlead_policy_behind 1.0" in poor.metrics()
    await rich.changes.bring(text("third"), source="admin", by="ann")
    poor.follower.problem = ""  # as if the pause before the next try were over
    await poor.follower.look()
    assert poor.route() == "third"
    assert "fairlead_policy_behind 0.0" in poor.metrics()


def version(number: int, revision: str) -> PolicyVersion:
    return PolicyVersion(number=number, revision=revision, digest="", source="", by="", at=0.0)


def test_a_version_is_chosen_by_number_or_by_the_beginning_of_its_revision() -> None:
    """The newest of several with one revision; never the current one; never a guess."""
    known = [version(4, "aa11"), version(3, "bb22"), version(2, "aa11"), version(1, "ab33")]

    assert chosen(known, "1", current=4).number == 1
    assert chosen(known, "aa", current=4).number == 2
    assert chosen(known, "bb22", current=4).number == 3
    for wanted, told in (("a", "several"), ("4", "no earlier"), ("", "no earlier")):
        with pytest.raises(LookupError, match=told):
            chosen(known, wanted, current=4)
