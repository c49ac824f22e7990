"""Values broken up by markup, by string literals and by the signs of terminals."""

from __future__ import annotations

import re

from gateway.classify.disguises.base import Disguise, nothing


def _inside(match: re.Match[str]) -> str | None:
    # Only what breaks up a word or a number; tags between words separate them.
    before, after = (
        match.string[match.start() - 1 : match.start()],
        match.string[match.end() : match.end() + 1],
    )
    return "" if before.isalnum() and after.isalnum() else None


def _cells(_match: re.Match[str]) -> str:
    return "-"


_LITERALS = "[\"'][ \\t]{0,4}(?:[+&.\\\\][ \\t]{0,4}\\n?|\\n)[ \\t]{0,16}[\"']"

MARKUP: tuple[Disguise, ...] = (
    Disguise("ansi", r"\x1b\[", re.compile(r"\x1b\[[0-9;]{0,12}[A-Za-z]"), nothing),
    Disguise(
        "concatenation",
        _LITERALS,
        re.compile(
            "[\"'][ \\t]{0,4}(?:[+&.\\\\][ \\t]{0,4}\\n?|\\n)[ \\t]{0,16}(?:\\+ {0,3})?"
            # The three signs that end a documentation string join it to nothing.
            "(?P<sign>[\"'])(?!(?P=sign){2}[ \\t]*(?:\\n|\\Z))"
        ),
        nothing,
    ),
    Disguise(
        "tags",
        r"[0-9][*_`~]{1,2}[0-9]|[0-9@]<[a-z/!]",
        re.compile(
            r"[<*_`~](?:(?<=<)[/!A-Za-z][^<>\n]{0,40}>(?:<[/!A-Za-z][^<>\n]{0,40}>)*|"
            r"(?<!<)[*_`~]{0,3}(?=[0-9]))"
        ),
        _inside,
    ),
    Disguise(
        "stressed",
        r"[0-9][*_`~]{1,3}[ \-][*_`~]{1,3}[0-9]",
        re.compile(r"[*_`~](?<=[0-9].)[*_`~]{0,2}[ \-]{1,2}[*_`~]{1,3}(?=[0-9])"),
        _cells,
    ),
    Disguise(
        "cells",
        r"[0-9]</t[dh]>[ \t\r\n]{0,8}<t[dh][^<>\n]{0,40}>[0-9]|[0-9](?:\{,\}|\\[,;! ])[0-9]",
        re.compile(
            r"[<{\\](?<=[0-9].)(?:(?<=<)/t[dh]>\s{0,8}<t[dh][^<>\n]{0,40}>|(?<=\{),\}|"
            r"(?<=\\)[,;! ])(?=[0-9])"
        ),
        _cells,
    ),
    Disguise(
        "listed",
        "[0-9][\"'] ?, ?[\"'][0-9]",
        re.compile("[\"'](?<=[0-9].) ?, ?[\"'](?=[0-9])"),
        nothing,
    ),
)
