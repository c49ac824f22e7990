"""`fairlead fingerprint`: register documents whose passages must be recognised."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from gateway.classify.attachments import extract
from gateway.classify.fingerprints import GRAM, Document
from gateway.cli.moments import iso
from gateway.cli.session import StoreSession, fail, store_session
from gateway.cli.tables import print_table
from gateway.stores.fingerprints import (
    FingerprintBook,
    UnknownDocument,
    document,
    hasher,
)

app = typer.Typer(
    help="Register confidential documents by hashes, so that a pasted paragraph is recognised.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("add")
def add_command(
    files: Annotated[list[Path], typer.Argument(help="Files to register: text, PDF, office.")],
    as_json: AsJson = False,
) -> None:
    """Register files: keyed hashes of their letters are kept, and never their text.

    Running gateways look for them within seconds.
    """
    texts = [(file, _text(file)) for file in files]
    with store_session() as session:
        hashes, now = hasher(session.pepper), time.time()
        new: list[Document] = []
        for file, text in texts:
            made = document(file.name, text, hashes, now)
            if made is None:
                fail(f"{file} has fewer than {GRAM} letters, too few to be recognised", status=2)
            new.append(made)
        _book(session).add(new)
    _show(new, as_json=as_json)


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the registered documents."""
    with store_session() as session:
        book = _book(session)
        known = book.all()
        book.refresh()
    _show(known, as_json=as_json)


@app.command("remove")
def remove_command(
    documents: Annotated[list[str], typer.Argument(help="Their ids or names.")],
    as_json: AsJson = False,
) -> None:
    """Forget documents."""
    with store_session() as session:
        try:
            gone = _book(session).remove(documents)
        except UnknownDocument as unknown:
            fail(f"no document is called '{unknown}'; `fairlead fingerprint list` shows them all")
    _show(gone, as_json=as_json)


def _book(session: StoreSession) -> FingerprintBook:
    return FingerprintBook(session.client, session.home)


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as problem:
        fail(f"{file} cannot be read: {problem.strerror}", status=2)
    extracted = extract(raw)
    if extracted is not None and extracted.unread:
        fail(f"{file} cannot be read whole; give its text as a file", status=2)
    if extracted is not None:
        return extracted.text
    if b"\0" in raw:
        fail(f"{file} is no text file; give its text as one", status=2)
    return raw.decode("utf-8", "replace")


def _show(shown: list[Document], *, as_json: bool) -> None:
    if as_json:
        rows: list[dict[str, Any]] = [
            {"id": one.id, "name": one.name, "hashes": one.size, "added_at": iso(one.added_at)}
            for one in shown
        ]
        typer.echo(msgspec.json.encode({"documents": rows}).decode())
        return
    if not shown:
        typer.echo("No documents are registered.")
        return
    table = Table("id", "name", "hashes", "added", box=None, pad_edge=False)
    for one in shown:
        table.add_row(one.id, one.name, f"{one.size:,}", iso(one.added_at) or "")
    print_table(table)
