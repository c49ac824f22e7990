"""Draws routing curves as SVG, alone or inside an HTML page that needs nothing else, or as PNG."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from html import escape

import msgspec

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 720, 480, 64, 28, 28, 52
#: Of the curves, in their order.
COLOURS = ("#0b6e99", "#c2571a", "#4d7c2a", "#7b4fa3", "#888888", "#b8860b")
_TEXT, _GRID, _SIZE = "#000000", "#e3e3e3", 13
#: Points of one curve: more are not seen.
_POINTS = 250
#: A PNG is drawn larger and then made smaller, which smooths its lines; so many pixels a unit.
_DRAWN, _KEPT = 4, 2

Point = tuple[float, float]


class _Stroke(msgspec.Struct, frozen=True):
    points: Sequence[Point]
    colour: str
    width: int = 1


class _Box(msgspec.Struct, frozen=True):
    corner: Point
    size: Point
    colour: str


class _Label(msgspec.Struct, frozen=True):
    """Text whose baseline begins, is centred or ends at a place."""

    place: Point
    text: str
    anchor: str = "start"


_Shape = _Stroke | _Box | _Label


def svg_chart(title: str, curves: Mapping[str, Sequence[float]]) -> str:
    """The curves as SVG; each is read at evenly spaced shares of calls from 0 to 1."""
    return _svg(title, [*_shapes(curves), _heading(title)])


def html_chart(title: str, curves: Mapping[str, Sequence[float]], rows: Sequence[str]) -> str:
    """A page with the chart, and `rows` of text under it."""
    said = "".join(f"<p>{escape(row)}</p>" for row in rows)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{escape(title)}</title>"
        "<style>body{font-family:sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}"
        f"</style><h1>{escape(title)}</h1>{_svg(title, list(_shapes(curves)))}{said}</html>\n"
    )


def png_chart(title: str, curves: Mapping[str, Sequence[float]]) -> bytes:
    """The same as a PNG of 1,440 by 960 pixels."""
    # Loaded here, because every command would wait for them.
    from fontpkg_fira_sans import ROOT
    from PIL import Image, ImageDraw, ImageFont
    from PIL.PngImagePlugin import PngInfo

    picture = Image.new("RGB", (_WIDTH * _DRAWN, _HEIGHT * _DRAWN), "#ffffff")
    pen = ImageDraw.Draw(picture)
    font = ImageFont.truetype(ROOT / "files" / "FiraSans-Regular.ttf", _SIZE * _DRAWN)
    for shape in (*_shapes(curves), _heading(title)):
        match shape:
            case _Stroke(points, colour, width):
                places = [(x * _DRAWN, y * _DRAWN) for x, y in points]
                pen.line(places, fill=colour, width=width * _DRAWN, joint="curve")
            case _Box((x, y), (width, height), colour):
                far = ((x + width) * _DRAWN, (y + height) * _DRAWN)
                pen.rectangle(((x * _DRAWN, y * _DRAWN), far), fill=colour)
            case _Label((x, y), text, anchor):
                aligned = {"start": "ls", "middle": "ms", "end": "rs"}[anchor]
                pen.text((x * _DRAWN, y * _DRAWN), text, fill=_TEXT, font=font, anchor=aligned)
    told = PngInfo()
    told.add_itxt("Title", title)
    small = picture.resize((_WIDTH * _KEPT, _HEIGHT * _KEPT), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    small.save(written, "PNG", optimize=True, pnginfo=told)
    return written.getvalue()


def _svg(title: str, shapes: Sequence[_Shape]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="{_SIZE}" role="img">'
        f"<title>{escape(title)}</title>"
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
        f"{''.join(_element(shape) for shape in shapes)}</svg>\n"
    )


def _element(shape: _Shape) -> str:
    match shape:
        case _Stroke(points, colour, width):
            places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            drawn = f'stroke="{colour}" stroke-width="{width}"'
            return f'<polyline fill="none" {drawn} points="{places}"/>'
        case _Box((x, y), (width, height), colour):
            return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>'
        case _Label((x, y), text, anchor):
            return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _shapes(curves: Mapping[str, Sequence[float]]) -> Iterator[_Shape]:
    yield from _axes()
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        step = max(1, len(curve) // _POINTS)
        marks = [*range(0, len(curve), step), len(curve) - 1]
        yield _Stroke([(_x(at / (len(curve) - 1)), _y(curve[at])) for at in marks], colour, 2)
        # Below the line of chance there is room for what the colours mean.
        height = round(_y(0)) - 12 - 20 * (len(curves) - 1 - number)
        yield _Box((_LEFT + 400, height - 6), (18, 4), colour)
        yield _Label((_LEFT + 426, height), name)


def _axes() -> Iterator[_Shape]:
    for tenth in range(0, 11, 2):
        share = tenth / 10
        x, y, told = _x(share), _y(share), f"{tenth * 10} %"
        yield _Stroke([(x, _y(0)), (x, _y(1))], _GRID)
        yield _Stroke([(_x(0), y), (_x(1), y)], _GRID)
        yield _Label((x, _y(0) + 18), told, "middle")
        yield _Label((_LEFT - 8, y + 4), told, "end")
    yield _Label((_x(0.5), _HEIGHT - 10), "calls sent to the strong model", "middle")
    yield _Label((_LEFT, _TOP - 10), "quality gap recovered")


def _heading(title: str) -> _Label:
    return _Label((_WIDTH - _RIGHT, _TOP - 10), title, "end")


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    # A curve may leave 0..1 a little: sending what only the weak model can do loses quality.
    inside = min(1.12, max(-0.1, share))
    return _HEIGHT - _BOTTOM - inside / 1.12 * (_HEIGHT - _TOP - _BOTTOM)
