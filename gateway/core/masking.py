"""Replaces what was found by typed placeholders, such as `[EMAIL_1]`, before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from gateway.core.findings import Finding
from gateway.core.request import Segment


class Masked(msgspec.Struct, frozen=True, kw_only=True):
    """The strings to replace, by JSON pointer, and the findings that could not be reached.

    A finding in a key of an object cannot be replaced without changing what the request means,
    so it stays in `missed`, and a request with missed findings must not be sent.
    """

    hidden: Mapping[str, str]
    missed: tuple[Finding, ...] = ()


def mask(
    segments: tuple[Segment, ...], findings: Iterable[Finding], types: Collection[str]
) -> Masked:
    """Mask every finding of the given types; the same value gets the same placeholder.

    Overlapping findings are replaced as one, named after the one that begins first.
    """
    by_segment: dict[int, list[Finding]] = {}
    missed = []
    for finding in findings:
        if finding.type not in types:
            continue
        if segments[finding.segment].kind == "key":
            missed.append(finding)
        else:
            by_segment.setdefault(finding.segment, []).append(finding)
    names: dict[tuple[str, str], str] = {}
    counts: dict[str, int] = {}
    hidden = {}
    for index in sorted(by_segment):
        segment = segments[index]
        pieces = []
        end = 0
        for start, stop, kind in _merged(by_segment[index]):
            value = (kind, segment.text[start:stop])
            if value not in names:
                counts[kind] = counts.get(kind, 0) + 1
                names[value] = f"[{kind.upper()}_{counts[kind]}]"
            pieces += [segment.text[end:start], names[value]]
            end = stop
        hidden[segment.pointer] = "".join([*pieces, segment.text[end:]])
    return Masked(hidden=hidden, missed=tuple(missed))


def _merged(findings: list[Finding]) -> list[tuple[int, int, str]]:
    spans: list[tuple[int, int, str]] = []
    for finding in sorted(findings, key=lambda one: (one.start, -one.end)):
        if spans and finding.start < spans[-1][1]:
            start, stop, kind = spans[-1]
            spans[-1] = (start, max(stop, finding.end), kind)
        else:
            spans.append((finding.start, finding.end, finding.type))
    return spans
