"""Writes the figures of a run into `ops/docs/benchmarks.md`, between its two markers."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

Figures = Mapping[str, Mapping[str, Mapping[str, object]]]


def rewrite(result: Mapping[str, object], page: Path = PAGE) -> None:
    """Replace what stands between the markers with the figures of this run.

    Raises:
        ValueError: the page has no markers.
    """
    text = page.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{page} has no '{BEGIN}' … '{END}'")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    page.write_text(f"{before}{BEGIN}\n{markdown(result)}{END}{after}")


def markdown(result: Mapping[str, object]) -> str:
    """The figures as Markdown: one table for each of CPU time, throughput and latency."""
    figures: Figures = result["figures"]  # type: ignore[assignment]
    names = [name for name in figures if name != "direct"]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    counted = result.get("instructions_counted")
    lines = [
        f"Measured {today} on {result['machine']}; medians of {result['rounds']} rounds.",
        "" if counted else "The machine hides its instruction counter, so CPU time stands alone.",
        "",
        *table("CPU time a request, ms", figures, names, "cpu_ms_per_request", "{:,.2f}"),
    ]
    if counted:
        lines += table("Instructions, Minstr", figures, names, "minstr_per_request", "{:,.2f}")
    lines += table("Requests a second, one core", figures, names, "rps", "{:,.0f}")
    lines += table("p50, ms", figures, ["direct", *names], "p50_ms", "{:,.1f}")
    lines += table("p99, ms", figures, ["direct", *names], "p99_ms", "{:,.1f}")
    lines += table("p99 above direct, ms", figures, names, "added_p99_ms", "{:,.1f}")
    memory: Mapping[str, Mapping[str, float]] = result["resident_mib"]  # type: ignore[assignment]
    lines += ["**Resident memory after the run, MiB**", "", "| target | processes |", "|---|---|"]
    for name, sizes in memory.items():
        listed = ", ".join(f"{label.split(' ', 1)[1]} {size:.0f}" for label, size in sizes.items())
        lines.append(f"| {name} | {listed} |")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def table(title: str, figures: Figures, names: Sequence[str], figure: str, form: str) -> list[str]:
    """One figure of all targets, a line for each kind of load; `-` where it failed."""
    loads = list(figures["direct"])
    lines = [f"**{title}**", "", "| load | " + " | ".join(names) + " |"]
    lines.append("|---" * (len(names) + 1) + "|")
    for load in loads:
        cells = []
        for name in names:
            number = figures[name].get(load, {}).get(figure)
            cells.append("-" if number is None else form.format(number))
        lines.append(f"| {load} | " + " | ".join(cells) + " |")
    return [*lines, ""]
