"""Draws routing curves as one SVG, alone or inside an HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 720, 480, 64, 28, 20, 52
_COLOURS = ("#0b6e99", "#c2571a", "#4d7c2a", "#7b4fa3", "#888888")


def svg_chart(title: str, curves: Mapping[str, Sequence[float]]) -> str:
    """The curves as SVG; each is read at evenly spaced shares of calls from 0 to 1."""
    lines = [_axes()]
    for number, (name, curve) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        step = max(1, len(curve) // 250)
        marks = [*range(0, len(curve), step), len(curve) - 1]
        places = " ".join(f"{_x(at / (len(curve) - 1)):.1f},{_y(curve[at]):.1f}" for at in marks)
        lines.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{places}"/>'
        )
        height = _TOP + 22 + 20 * number
        lines.append(
            f'<rect x="{_LEFT + 14}" y="{height - 9}" width="18" height="4" fill="{colour}"/>'
            f'<text x="{_LEFT + 40}" y="{height}">{escape(name)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13" role="img">'
        f"<title>{escape(title)}</title>"
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>{"".join(lines)}</svg>\n'
    )


def html_chart(title: str, curves: Mapping[str, Sequence[float]], rows: Sequence[str]) -> str:
    """A page with the chart, and `rows` of text under it."""
    said = "".join(f"<p>{escape(row)}</p>" for row in rows)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{escape(title)}</title>"
        "<style>body{font-family:sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}"
        f"</style><h1>{escape(title)}</h1>{svg_chart(title, curves)}{said}</html>\n"
    )


def _axes() -> str:
    parts = []
    for tenth in range(0, 11, 2):
        share = tenth / 10
        x, y = _x(share), _y(share)
        parts.append(
            f'<line x1="{x:.1f}" y1="{_y(0):.1f}" x2="{x:.1f}" y2="{_y(1):.1f}" stroke="#e3e3e3"/>'
            f'<line x1="{_x(0):.1f}" y1="{y:.1f}" x2="{_x(1):.1f}" y2="{y:.1f}" stroke="#e3e3e3"/>'
            f'<text x="{x:.1f}" y="{_y(0) + 18:.1f}" text-anchor="middle">{tenth * 10} %</text>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tenth * 10} %</text>'
        )
    parts.append(
        f'<text x="{_x(0.5):.1f}" y="{_HEIGHT - 10}" text-anchor="middle">'
        "calls sent to the strong model</text>"
        f'<text x="{_LEFT}" y="{_TOP - 10}">quality gap recovered</text>'
    )
    return "".join(parts)


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    # A curve may leave 0..1 a little: sending what only the weak model can do loses quality.
    inside = min(1.12, max(-0.1, share))
    return _HEIGHT - _BOTTOM - inside / 1.12 * (_HEIGHT - _TOP - _BOTTOM)
