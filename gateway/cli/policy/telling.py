"""How the commands answer: findings for people and machines, mistakes on stderr, exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from policies.problems import Problem

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
#: Exit status: the file falls short; the command was called wrong.
FOUND, USAGE = 1, 2


def tell(found: Sequence[Problem], file: Path, as_json: bool, *, fine: str) -> None:
    """Print what was found, for people or machines, and end with the right status."""
    if as_json:
        print_json({"findings": [finding(one, file) for one in found]})
    else:
        out = Console(highlight=False, soft_wrap=True)
        for one in found:
            print_problem(out, one, file)
        if not found and fine:
            out.print(Text(fine, style="green"))
    if found:
        raise typer.Exit(FOUND)


def print_problem(out: Console, one: Problem, file: Path) -> None:
    """One problem as compilers print it, with its hint on the next line."""
    place = Text(f"{file}:{one.line}:{one.column}: ", style="bold")
    colour = "red" if one.severity == "error" else "yellow"
    place.append(f"{one.severity}: ", style=colour).append(one.message)
    if one.code:
        place.append(f" [{one.code}]", style="dim")
    out.print(place)
    if one.hint:
        out.print(Text(f"    {one.hint}", style="cyan"))


def stop(message: str) -> NoReturn:
    """End the command as called wrong, with a sentence on stderr."""
    complain(f"error: {message}")
    raise typer.Exit(USAGE)


def complain(message: str) -> None:
    """A sentence for people on stderr, so that what a machine reads stays whole."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(message)


def print_json(held: Any) -> None:
    """Print a value as indented JSON."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(held), indent=2).decode() + "\n")


def finding(problem: Problem, file: Path) -> dict[str, Any]:
    """A problem as machines read it."""
    return {
        "file": str(file),
        "line": problem.line,
        "column": problem.column,
        "code": problem.code or "grammar",
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
        "path": problem.path,
    }
