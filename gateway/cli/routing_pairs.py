"""`fairlead routing pairs`: the answers that judges have compared, and forgetting them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from gateway.classify.difficulty_kept import Features, OtherFeatures, unpack_features
from gateway.cli.report import span
from gateway.cli.session import StoreSession, ask_store, fail, store_session
from gateway.cli.tables import print_table
from gateway.core.judged import Compared, JudgedPair, compared
from gateway.stores.connection import RedisConnection
from gateway.stores.ledger_lines import known_orgs
from gateway.stores.pairs import Pairs, PairStore

SinceOption = Annotated[
    str, typer.Option("--from", help="Only pairs judged from then on: 2026-11-01, 30d.")
]
UntilOption = Annotated[
    str, typer.Option("--to", help="Only pairs judged before: 2026-12-01, today.")
]
OrgOption = Annotated[str, typer.Option(help="Only this organisation.")]
WeakOption = Annotated[str, typer.Option(help="Only pairs in which this deployment is the weak.")]
StrongOption = Annotated[
    str, typer.Option(help="Only pairs in which this deployment is the strong one.")
]


class PairsRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of two deployments: how many pairs, and the mean scores, 0..1.

    `rise` is by how much the answer that was shown first scored higher than the other, whichever
    it was: what the judge gives for the place.
    """

    weak: str
    strong: str
    pairs: int
    weak_score: float
    strong_score: float
    rise: float


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The pairs that were asked for, oldest first.

    `alike` counts those of two deployments of which neither is the weak one, and `unreadable`
    entries that were sealed under another pepper.
    """

    pairs: Sequence[Compared]
    alike: int
    unreadable: int


def pairs_command(
    since: SinceOption = "",
    until: UntilOption = "",
    org: OrgOption = "",
    weak: WeakOption = "",
    strong: StrongOption = "",
    forget: Annotated[bool, typer.Option("--forget", help="Delete all of them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Show the answers that judges have compared, by their deployments; no text of them is kept."""
    if forget and (since or until or weak or strong):
        fail("--forget deletes all pairs, or all of an --org", status=2)
    with store_session() as session:
        if forget:
            count = _forget(session, org)
            told = f"Deleted {count:,} entries."
            typer.echo(msgspec.json.encode({"entries": count}).decode() if as_json else told)
            return
        found = judged_pairs(session, since, until, org, weak, strong)
    rows = _rows(found.pairs)
    if as_json:
        document = {"rows": rows, "alike": found.alike, "unreadable": found.unreadable}
        typer.echo(msgspec.json.encode(document).decode())
        return
    if rows:
        _print(rows)
    else:
        typer.echo("There are none: a route's 'shadow' names a 'judge' to have answers compared.")
    if found.alike:
        typer.echo(f"{found.alike:,} more are of two deployments of which neither is weaker.")
    if found.unreadable:
        typer.echo(f"{found.unreadable:,} more were sealed under another pepper.")


def judged_pairs(
    session: StoreSession, since: str, until: str, org: str, weak: str, strong: str
) -> Judged:
    """The pairs of one or all orgs, oldest first; ends the command where they cannot be told."""
    try:
        start, end = span(since, until)
    except ValueError as mistake:
        fail(str(mistake), status=2)
    pairs: list[JudgedPair] = []
    unreadable = 0
    for one in _orgs(session, org):
        found = ask_store(session.url, _loading(session.pepper, one, start or 0.0, end))
        pairs += found.pairs
        unreadable += found.unreadable
    pairs.sort(key=lambda pair: pair.at)
    told = compared(pairs, weak, strong)
    alike = 0 if weak or strong else len(pairs) - len(told)
    return Judged(pairs=told, alike=alike, unreadable=unreadable)


def rows_of(pairs: Sequence[Compared]) -> list[tuple[Features, float, float]]:
    """What calibration learns from: features with the weak and the strong score.

    Features of another version are left out.
    """
    rows = []
    for one in pairs:
        try:
            features = unpack_features(one.pair.features)
        except OtherFeatures:
            continue
        rows.append((features, one.weak.score, one.strong.score))
    return rows


def _orgs(session: StoreSession, org: str) -> tuple[str, ...]:
    return (org,) if org else known_orgs(session.client, session.home)


def _forget(session: StoreSession, org: str) -> int:
    def forgetting(one: str) -> Callable[[RedisConnection], Awaitable[int]]:
        return lambda connection: PairStore(connection, session.pepper).forget(one)

    return sum(ask_store(session.url, forgetting(one)) for one in _orgs(session, org))


def _loading(
    pepper: bytes, org: str, start: float, end: float | None
) -> Callable[[RedisConnection], Awaitable[Pairs]]:
    return lambda connection: PairStore(connection, pepper).load(org, start, end)


def _rows(pairs: Sequence[Compared]) -> list[PairsRow]:
    groups: dict[tuple[str, str], list[Compared]] = {}
    for one in pairs:
        groups.setdefault((one.weak.deployment, one.strong.deployment), []).append(one)
    return [
        PairsRow(
            weak=weak,
            strong=strong,
            pairs=len(group),
            weak_score=_mean([one.weak.score for one in group]),
            strong_score=_mean([one.strong.score for one in group]),
            rise=_mean([_rise(one.pair) for one in group]),
        )
        for (weak, strong), group in sorted(groups.items())
    ]


def _rise(pair: JudgedPair) -> float:
    rise = pair.served.score - pair.copied.score
    return rise if pair.served_first else -rise


def _mean(numbers: Sequence[float]) -> float:
    return round(sum(numbers) / len(numbers), 4)


def _print(rows: Sequence[PairsRow]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("weak", "strong"):
        table.add_column(heading, overflow="fold")
    for heading in ("pairs", "weak score", "strong score", "first is higher by"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            *(row.weak, row.strong, f"{row.pairs:,}"),
            f"{row.weak_score:.2f}",
            f"{row.strong_score:.2f}",
            f"{row.rise:+.2f}",
        )
    print_table(table)
