"""What waits on the disk survives its process, and is read by nobody while that lives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.core.ledger import Settlement
from gateway.stores.spool import Spool, Spooled


def test_a_spool_is_not_taken_while_its_process_lives(
    tmp_path: Path, make_settlement: Callable[..., Settlement]
) -> None:
    """Once it is closed, whole lines are found, and one that was cut off is not."""
    spool, other = Spool(tmp_path), Spool(tmp_path)
    entries = [Spooled(settlement=make_settlement(hold_id=f"h{n}")) for n in range(3)]
    for entry in entries:
        spool.append(entry)
    while_alive = list(other.orphans())
    spool.close()
    (path,) = (tmp_path / "spool").iterdir()
    path.write_bytes(path.read_bytes() + b'{"settlement":{"ho')

    assert while_alive == []
    assert [found for _, found in other.orphans()] == [entries]


def test_a_cleared_spool_leaves_nothing(
    tmp_path: Path, make_settlement: Callable[..., Settlement]
) -> None:
    """And takes new entries afterwards."""
    spool = Spool(tmp_path)
    spool.append(Spooled(settlement=make_settlement()))
    spool.clear()
    emptied = list((tmp_path / "spool").iterdir())
    spool.append(Spooled(settlement=make_settlement()))

    assert emptied == []
    assert len(list((tmp_path / "spool").iterdir())) == 1
    spool.close()


def test_a_home_without_a_spool_has_no_orphans(tmp_path: Path) -> None:
    """Nothing is made by looking."""
    assert list(Spool(tmp_path).orphans()) == []
    assert not (tmp_path / "spool").exists()
