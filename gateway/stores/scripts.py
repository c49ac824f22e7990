"""The Lua programs of `gateway/stores/lua`, loaded as package resources."""

from __future__ import annotations

import hashlib
from importlib import resources

import msgspec

#: Lets a script that only records what was already spent run when Redis is out of memory;
#: servers before 7.0 do not know the line.
_ALLOW_OOM = "#!lua flags=allow-oom\n"
_SHEBANG_SINCE = (7, 0)


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """One Lua program in the form for old and for new servers, with their SHA-1 names."""

    name: str
    source: str
    sha: str
    source_since_7: str
    sha_since_7: str

    def for_server(self, version: tuple[int, int]) -> tuple[str, str]:
        """The SHA-1 and the source to load on a server of this (major, minor) version."""
        if version >= _SHEBANG_SINCE:
            return self.sha_since_7, self.source_since_7
        return self.sha, self.source


class Scripts(msgspec.Struct, frozen=True, kw_only=True):
    """Every script, whatever it is about; the heads they share stand below."""

    hold: Script
    settle: Script
    correct: Script
    cancel: Script
    renew: Script
    reap: Script
    use: Script
    seal: Script
    claim: Script
    swap: Script
    publish: Script
    trim: Script
    slice: Script
    record: Script
    tally: Script
    remember: Script
    learn: Script
    forget: Script


#: The shared heads of scripts, by what they are about.
_CLOCK = ("periods", "counters")
_HOLDS = (*_CLOCK, "limits")
_MONEY = (*_HOLDS, "rollups")


def load_scripts() -> Scripts:
    """Read all scripts from the package."""
    return Scripts(
        hold=_load("hold", _HOLDS, records_spending=False),
        settle=_load("settle", _MONEY, records_spending=True),
        correct=_load("correct", _MONEY, records_spending=True),
        cancel=_load("cancel", _HOLDS, records_spending=True),
        renew=_load("renew", _CLOCK, records_spending=True),
        reap=_load("reap", _MONEY, records_spending=True),
        use=_load("use", _CLOCK, records_spending=False),
        seal=_load("seal", (), records_spending=False),
        claim=_load("claim", (), records_spending=False),
        swap=_load("swap", (), records_spending=False),
        publish=_load("publish", (), records_spending=False),
        trim=_load("trim", (), records_spending=False),
        slice=_load("slice", _CLOCK, records_spending=False),
        record=_load("record", (), records_spending=True),
        tally=_load("tally", (), records_spending=False),
        remember=_load("remember", (), records_spending=False),
        learn=_load("learn", (), records_spending=False),
        forget=_load("forget", (), records_spending=False),
    )


def _load(name: str, heads: tuple[str, ...], *, records_spending: bool) -> Script:
    folder = resources.files("gateway.stores") / "lua"
    programs = [(folder / f"{part}.lua").read_text("utf-8") for part in (*heads, name)]
    source = "".join(programs)
    since_7 = _ALLOW_OOM + source if records_spending else source
    return Script(
        name=name,
        source=source,
        sha=_sha1(source),
        source_since_7=since_7,
        sha_since_7=_sha1(since_7),
    )


def _sha1(source: str) -> str:
    # Redis names scripts by SHA-1; nothing here rests on its strength.
    return hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
