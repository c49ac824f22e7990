"""`fairlead keys`: make, list, revoke and rotate virtual keys."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from gateway.cli.moments import future_moment, iso
from gateway.cli.session import fail, store_session
from gateway.cli.tables import print_table
from gateway.core.money import nano_to_usd_text, usd_to_nano
from gateway.core.principal import KeyBudget
from gateway.core.sensitivity import Sensitivity
from gateway.stores.keybook import IssuedKey, NewKey, UnknownKey
from gateway.stores.keys import StoredKey

app = typer.Typer(
    help="Make, list, revoke and rotate the keys that client apps use.", no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SHOWN_ONCE = "This key is shown only now; keep it safe. It cannot be read again later."


@app.command()
def create(
    team: Annotated[str, typer.Option(help="Team that pays.")] = "default",
    app_name: Annotated[str, typer.Option("--app", help="App that uses the key.")] = "",
    user: Annotated[str, typer.Option(help="User behind the key.")] = "",
    org: Annotated[str, typer.Option(help="Organisation.")] = "default",
    name: Annotated[str, typer.Option(help="A note to recognise the key by.")] = "",
    models: Annotated[str, typer.Option(help="Models it may ask for: a,b. All if empty.")] = "",
    max_sensitivity: Annotated[
        str, typer.Option(help="The most sensitive request that it may send.")
    ] = "restricted",
    tags: Annotated[str, typer.Option(help="Tags of its requests: k=v,k=v.")] = "",
    expires: Annotated[str, typer.Option(help="When it ends: 90d, 2027-01-31.")] = "",
    budget_usd: Annotated[str, typer.Option(help="Money cap in US dollars.")] = "",
    per: Annotated[str, typer.Option(help="Period of the cap.")] = "month",
    as_json: AsJson = False,
) -> None:
    """Make a virtual key and show it, once."""
    now = datetime.now(UTC)
    try:
        wanted = NewKey(
            org=org,
            team=team,
            app=app_name,
            user=user,
            name=name,
            models=_words(models),
            max_sensitivity=Sensitivity.parse(max_sensitivity),
            tags=_tags(tags),
            budget=_budget(budget_usd, per),
            expires_at=_expiry(expires, now),
        )
    except ValueError as mistake:
        fail(str(mistake), status=2)
    with store_session() as session:
        issued = session.keys.create(wanted)
    _show_issued(issued, as_json=as_json)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List all keys, without their secrets."""
    with store_session() as session:
        keys = session.keys.all()
    if as_json:
        _print_json([_described(key) for key in keys])
        return
    table = Table(box=None, pad_edge=False)
    for column in ("id", "state", "team", "app", "user", "budget", "expires", "name"):
        table.add_column(column, overflow="fold", no_wrap=column in ("id", "state"))
    now = datetime.now(UTC).timestamp()
    for key in keys:
        cap = f"${nano_to_usd_text(key.budget.cap_nanousd)[:-7]}" if key.budget else ""
        budget = f"{cap}/{key.budget.per}" if key.budget else ""
        expires = (iso(key.expires_at) or "")[:10]
        table.add_row(
            key.id, key.state(now), key.team, key.app, key.user, budget, expires, key.name
        )
    if keys:
        print_table(table)
    else:
        typer.echo("There are no keys yet: fairlead keys create --team ...")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id (not its text).")],
    as_json: AsJson = False,
) -> None:
    """End a key for good; gateways refuse it within a second."""
    with store_session() as session:
        try:
            key = session.keys.revoke(_id_of(key_id))
        except UnknownKey:
            fail(_unknown(key_id))
    if as_json:
        _print_json(_described(key))
    else:
        typer.echo(f"Key {key.id} is revoked.")


@app.command()
def rotate(
    key_id: Annotated[str, typer.Argument(help="The key's id (not its text).")],
    grace: Annotated[str, typer.Option(help="How long the old text stays good: 24h, 7d.")] = "",
    as_json: AsJson = False,
) -> None:
    """Give a key a new text; the old one ends at once, or after a grace period."""
    now = datetime.now(UTC)
    try:
        seconds = (future_moment(grace, now) - now).total_seconds() if grace else 0.0
    except ValueError as mistake:
        fail(str(mistake), status=2)
    with store_session() as session:
        try:
            issued = session.keys.rotate(_id_of(key_id), seconds)
        except UnknownKey:
            fail(_unknown(key_id))
        except ValueError as mistake:
            fail(str(mistake))
    _show_issued(issued, as_json=as_json)


def _show_issued(issued: IssuedKey, *, as_json: bool) -> None:
    if as_json:
        described = _described(issued.stored)
        _print_json({"id": issued.stored.id, "key": issued.text, **described})
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    described = _described(issued.stored)
    for field in ("id", "name", "org", "team", "app", "user", "expires_at"):
        if described[field]:
            table.add_row(field, str(described[field]))
    print_table(table)
    # Not through rich: a key must never be wrapped.
    typer.echo(f"\n{issued.text}\n\n{_SHOWN_ONCE}")


def _described(key: StoredKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(datetime.now(UTC).timestamp()),
        "org": key.org,
        "team": key.team,
        "app": key.app,
        "user": key.user,
        "models": list(key.models),
        "max_sensitivity": key.max_sensitivity.label,
        "tags": dict(key.tags),
        "budget_nanousd": key.budget.cap_nanousd if key.budget else None,
        "per": key.budget.per if key.budget else None,
        "created_at": iso(key.created_at),
        "expires_at": iso(key.expires_at),
        "revoked_at": iso(key.revoked_at),
    }


def _print_json(document: object) -> None:
    typer.echo(msgspec.json.encode(document).decode())


def _id_of(given: str) -> str:
    """The id, also when somebody pasted the whole key."""
    parts = given.split("_")
    return parts[1] if len(parts) == 3 and parts[0] == "fl" else given


def _unknown(key_id: str) -> str:
    return f"there is no key with the id '{_id_of(key_id)}'; see: fairlead keys list"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _tags(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [word.partition("=") for word in _words(text)]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise ValueError(f"'{name}' is not a tag; write --tags name=text,name=text")
    return tuple((name.strip(), tag.strip()) for name, _, tag in pairs)


def _budget(usd: str, per: str) -> KeyBudget | None:
    if not usd:
        return None
    try:
        return KeyBudget(cap_nanousd=usd_to_nano(Decimal(usd.lstrip("$"))), per=per)
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError(f"'{usd}' is not an amount of US dollars, such as 12.50") from None


def _expiry(text: str, now: datetime) -> float | None:
    if not text:
        return None
    moment = future_moment(text, now)
    if moment <= now:
        raise ValueError(f"--expires {text} is in the past")
    return moment.timestamp()
