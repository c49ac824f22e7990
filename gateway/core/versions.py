"""The versions of the policy: every text that was ever in force, by whom, since when, and why.

Texts hold no secrets: a policy file names them by reference only.
"""

from __future__ import annotations

from difflib import unified_diff
from hashlib import sha256

import msgspec

#: A longer difference is cut, in characters; both texts are kept whole.
LONGEST_DIFF = 64_000


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One text of the policy, as it came into force.

    `number` counts from 1. `revision` is the hash of what it means and `digest` the hash of its
    very text, so that two versions may share a revision. `source` is where it came from: file,
    admin, command, rollback or restored; `by` says who in words; `at` is epoch seconds. `proof`
    says in words whether it was proved to open no leak. `diff` is the unified difference to the
    version before.
    """

    number: int
    revision: str
    digest: str
    source: str
    by: str
    at: float
    note: str = ""
    proof: str = ""
    diff: str = ""


class RefusedChange(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was changed and cannot be used, while the last good version stays in force.

    `problems` are written as `file:line:col: what (what to do)`.
    """

    source: str
    by: str
    at: float
    problems: tuple[str, ...]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force: the number, revision and digest of the newest version; 0 for none yet.

    `file_digest` is the digest of the last text that a policy file brought or was given;
    `refused` is the alarm, if one is up; `candidate` is the id of the dry run, if one is going.
    """

    number: int = 0
    revision: str = ""
    digest: str = ""
    file_digest: str = ""
    refused: RefusedChange | None = None
    candidate: str = ""


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """How far one gateway worker has followed; `problem` says why it is behind.

    `at` is when it last said so, in epoch seconds.
    """

    worker: str
    number: int
    revision: str
    at: float
    problem: str = ""


def digest_of(text: str) -> str:
    """The hash of a policy's very text."""
    return sha256(text.encode()).hexdigest()


def diff_of(old: str, new: str, old_name: str, new_name: str) -> str:
    """The unified difference of two texts."""
    lines = unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), old_name, new_name
    )
    told = "".join(line if line.endswith("\n") else line + "\n" for line in lines)
    if len(told) > LONGEST_DIFF:
        return told[:LONGEST_DIFF] + f"… and {len(told) - LONGEST_DIFF} characters more\n"
    return told
