"""Puts the heading of a column before each of its cells, so that labels reach their values.

In a CSV file, a Markdown table or an INSERT statement the word that tells what a number is stands
far above it. Columns whose heading names something personal are written out as `heading: cell`;
the text is then read again. Places are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from gateway.classify.offsets import Replacement

_WORDS = (
    r"ssn|social|account|acct|passport|licen[cs]e|nhs|tax|insur|iban|card|cvv|dob|birth|phone|"
    r"mobile|password|passwd|pwd|patient|national|routing|mrn|medicare|secret|token|api_?key|"
    r"user_?name|login|address|street|konto|steuer|geburt|telefon|cpf|bsn|imei|vin|plate|pin"
)
#: Opens when a heading of something personal stands beside another heading or ends a line.
GATE = (
    rf"insert into|(?:{_WORDS})[a-z0-9_ \-.]{{0,20}}[\"'`]?(?:[;|\t]|,[a-z_\"'`])|"
    rf"(?:[;|\t]|,)[\"'`]?[a-z_ ]{{0,12}}(?:{_WORDS})[a-z0-9_ \-.]{{0,12}}[\"'`]?[ ]?\|?\r?\n"
)
_PERSONAL = re.compile(_WORDS, re.I)
_INSERT = re.compile(
    r"insert\s{1,4}into\s{1,4}[\w.\"`\[\]]{1,80}\s{0,4}\(([^()]{3,800})\)\s{0,8}values", re.I
)
_CELL = re.compile(r"'(?:[^'\\]|\\.|''){0,400}'|\"(?:[^\"\\]|\\.){0,400}\"|[^,'\"()]{1,200}")
_QUOTES = " \t\r\n\"'`*"
#: Cells that are written out, of one text at most.
MOST_CELLS = 2_000
_MOST_COLUMNS = 64


def cells(text: str, areas: Iterable[tuple[int, int]] | None = None) -> list[Replacement]:
    """What to insert before cells, and line breaks for what parts them; ordered.

    Headings are looked for in `areas`, or everywhere; their rows may go on beyond.
    """
    changes: list[Replacement] = []
    for low, high in ((0, len(text)),) if areas is None else areas:
        changes += islice(
            chain(_inserted(text, low, high), _delimited(text, low, high)), MOST_CELLS
        )
    kept: list[Replacement] = []
    for change in sorted(changes):
        if len(kept) < MOST_CELLS and (not kept or change[0] > kept[-1][0]):
            kept.append(change)
    return kept


def _inserted(text: str, low: int, high: int) -> Iterator[Replacement]:
    if "insert" not in text[low:high].lower():
        return
    for match in _INSERT.finditer(text, low, high):
        names = [name.strip(_QUOTES) for name in match.group(1).split(",")]
        if not _worth(names):
            continue
        column = -1
        position, depth = match.end(), 0
        stop = min(len(text), match.end() + 20_000)
        while position < stop:
            character = text[position]
            if character == "(" and depth == 0:
                depth, column = 1, 0
            elif character == ")" and depth == 1:
                depth = 0
            elif character == "," and depth == 1:
                column += 1
            elif character == ";" and depth == 0:
                break
            elif depth == 1 and not character.isspace():
                cell = _CELL.match(text, position)
                if cell is None:
                    break
                yield from _labelled(names, column, position)
                position = cell.end()
                continue
            position += 1


# A line of short cells and nothing else, with a line below it; sentences end in a mark.
_HEADING = re.compile(
    r"^[ \t]{0,8}\|?(?P<cells>(?:[ ]?[\"'`*]{0,2}[A-Za-z_][\w .\-#/()]{0,38}[\"'`*]{0,2}[ ]?"
    r"(?P<sign>[,;|\t])[ ]?)(?:[^,;|\t\n]{1,40}(?P=sign)){0,62}[^,;|\t\n.?!:]{0,40})\r?\n",
    re.M,
)


def _delimited(text: str, low: int, high: int) -> Iterator[Replacement]:
    position = low
    while (heading := _HEADING.search(text, position, high)) is not None:
        position = heading.end()
        sign = heading.group("sign")
        names = [name.strip(_QUOTES) for name in text[heading.start() : position].split(sign)]
        if len(names) < 2 or not _worth(names):
            continue
        while position < len(text):
            stop = text.find("\n", position) + 1 or len(text)
            line = text[position:stop]
            if line.count(sign) != len(names) - 1:
                break
            place = position
            for column, cell in enumerate(line.split(sign)):
                shown = cell.strip()
                if shown and not set(shown) <= {"-", ":", " "}:
                    yield from _labelled(names, column, place + cell.index(shown[0]))
                place += len(cell) + 1
            position = stop


def _worth(names: list[str]) -> bool:
    return len(names) <= _MOST_COLUMNS and any(_PERSONAL.search(name) for name in names)


def _labelled(names: list[str], column: int, place: int) -> Iterator[Replacement]:
    if 0 <= column < len(names) and _PERSONAL.search(names[column]) is not None:
        label = names[column].replace("_", " ")
        yield (place, place, f"\n{label}: ")
