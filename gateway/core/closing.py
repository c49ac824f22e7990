"""A closed period as a value: which lines it has, what they come to, and who vouches for it."""

from __future__ import annotations

import msgspec


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest of one closed month of one org.

    The period has the lines dated from `starts` to before `ends` (epoch seconds, midnights of
    `zone`) that were written up to the ledger entry `cut`, and the `late_lines`: those dated in
    periods closed before, and written after these were closed. `total_nanousd` is what all of
    them cost, `late_nanousd` the late ones. `lines_sha256` is of all of them in the order of
    writing; `files` are the SHA-256 of the files beside the manifest by their names; `previous`
    is that of the manifest of the period closed before. `signature` is Ed25519 over all other
    fields, by the key whose public half is `public_key`; both in hex.
    """

    org: str
    period: str
    zone: str
    starts: float
    ends: float
    cut: str
    lines: int
    late_lines: int
    total_nanousd: int
    late_nanousd: int
    lines_sha256: str
    files: dict[str, str]
    previous: str
    public_key: str
    signature: str = ""

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        return msgspec.json.encode(msgspec.structs.replace(self, signature=""), order="sorted")


def entry_place(entry: str) -> tuple[int, int]:
    """The place of an entry's id in the order of writing."""
    milliseconds, _, number = entry.partition("-")
    return int(milliseconds), int(number or 0)
