"""The compatibility page, made of runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ops.compat.clients import BACKS, CLIENTS, Client
from ops.compat.run import Case, Run

_INTRODUCTION = """# Compatibility

Client libraries of the ecosystem, run against a Fairlead process with nothing changed but the
address and the key. Behind it stands a scripted model that reads the request as its vendor would,
refuses what the vendor refuses, calls the tools that the prompt asks for with arguments that fit
their schemas, and answers in JSON where JSON is wanted.

Each suite is run once per kind of backend. Where the client's API and the backend's are the same,
the request passes through; otherwise it is translated both ways.

This page is generated: `python -m ops.compat.publish` installs the pinned libraries in environments
of their own, runs every suite and writes it. The same suites run in `sh ops/test.sh --full`.

A script can only say what we believe of servers. So `tests/e2e/test_llama_cpp.py`, in the same full
run, puts llama.cpp's own server with a real model behind the gateway and asks it through every API
over the four wires that it speaks: OpenAI chat, Responses, Anthropic Messages and plain text.
"""


def page(runs: Sequence[Run], day: date) -> str:
    """The whole page in Markdown."""
    known = {(run.client, run.back): run for run in runs}
    parts = [_INTRODUCTION, f"Last run: {day.isoformat()}.\n", _summary(known), _covered()]
    parts.append(_reasons(runs, "failed", "What failed"))
    parts.append(_reasons(runs, "not supported", "What was not run, and why"))
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def _summary(known: dict[tuple[str, str], Run]) -> str:
    heads = ["client", "version", "API of ours", *(f"to `{back}`" for back in BACKS)]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for client in CLIENTS:
        tried = [known.get((client.name, back)) for back in BACKS]
        versions = next((run.versions for run in tried if run), {})
        cells = [_figures(run) for run in tried]
        lines.append(_row([client.name, _first(client, versions), f"`{client.api}`", *cells]))
    legend = "Figures are tests passed, of all that were run."
    return "\n".join(["## Results", "", legend, "", *lines, ""])


def _covered() -> str:
    lines = [_row(["client", "exercised", "beside it"]), _row(["---"] * 3)]
    for client in CLIENTS:
        beside = ", ".join(f"`{name}`" for name in client.packages[1:])
        lines.append(_row([client.name, client.exercised, beside]))
    return "\n".join(["## What is exercised", "", *lines, ""])


def _reasons(runs: Sequence[Run], outcome: str, title: str) -> str:
    found: dict[tuple[str, str, str], list[str]] = {}
    for run in runs:
        for case in run.cases:
            if case.outcome == outcome:
                found.setdefault((run.client, case.name, _sentence(case)), []).append(run.back)
    if not found:
        return f"## {title}\n\nNothing.\n"
    lines = [_row(["client", "test", "backend", "reason"]), _row(["---"] * 4)]
    for (client, name, why), backs in found.items():
        where = "all" if len(backs) == len(BACKS) else ", ".join(f"`{back}`" for back in backs)
        lines.append(_row([client, f"`{name}`", where, why]))
    return "\n".join([f"## {title}", "", *lines, ""])


def _figures(run: Run | None) -> str:
    if run is None:
        return "not run"
    passed, failed = run.count("passed"), run.count("failed")
    return f"{passed} of {passed + failed}" + (" **fails**" if failed else "")


def _first(client: Client, versions: dict[str, str]) -> str:
    return versions.get(client.packages[0], "")


def _sentence(case: Case) -> str:
    first = (case.why.splitlines() or [""])[0]
    return first.replace("|", "\\|")[:160]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
