"""What can be wrong with a policy file, with the place where it is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

#: More than this many problems in one file are counted, not listed.
MOST_PROBLEMS = 100


class Place(msgspec.Struct, frozen=True, order=True):
    """A position in a policy file; line and column count from 1."""

    line: int = 1
    column: int = 1


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    `path` leads through the file's keys to the place (`deployments.frontier.price`); `code` is
    the check that found it (`p001`), empty for the grammar of the file; `severity` is `error`
    (the file is refused) or `warning`.
    """

    line: int
    column: int
    message: str
    hint: str = ""
    path: str = ""
    code: str = ""
    severity: str = "error"

    def text(self, source: str) -> str:
        """The problem as compilers print it: `file:line:col: message`, then the hint."""
        code = f" [{self.code}]" if self.code else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{source}:{self.line}:{self.column}: {self.message}{hint}{code}"


class PolicyError(Exception):
    """A policy file that cannot be used; `problems` are in the order of the file."""

    def __init__(self, problems: Iterable[Problem], source: str = "policy") -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        super().__init__(str(self))

    def __str__(self) -> str:
        return "\n".join(problem.text(self.source) for problem in self.problems)


class Problems:
    """Collects problems while a file is read, so that all of them are told at once."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, at: Place, message: str, *, hint: str = "", path: str = "") -> None:
        """Note one problem; past the limit, problems only count."""
        if len(self._found) < MOST_PROBLEMS:
            self._found.append(
                Problem(line=at.line, column=at.column, message=message, hint=hint, path=path)
            )

    def all(self) -> tuple[Problem, ...]:
        """What was found so far."""
        return tuple(self._found)

    def raise_if_any(self, source: str) -> None:
        """Stop reading when something was wrong.

        Raises:
            PolicyError: there is at least one problem.
        """
        if self._found:
            raise PolicyError(self._found, source)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or lists what is known when none is near."""
    words = sorted(set(known))
    near = get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"known: {', '.join(words)}" if words else ""
