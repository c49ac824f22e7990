"""The Lua programs: their forms for old and new servers, and what they promise in their heads."""

from __future__ import annotations

from importlib import resources

import redis

from gateway.stores.scripts import Script, load_scripts


def all_scripts() -> list[Script]:
    """Every script by itself."""
    scripts = load_scripts()
    return [getattr(scripts, name) for name in scripts.__struct_fields__]


def test_only_what_records_spending_may_run_when_memory_is_full() -> None:
    """From Redis 7 on a settlement is taken even then; a new hold never is."""
    flagged = {
        script.name
        for script in all_scripts()
        if script.for_server((7, 0))[1].startswith("#!lua flags=allow-oom\n")
    }

    assert flagged == {"settle", "correct", "cancel", "renew", "reap", "record"}
    assert not any(script.for_server((6, 2))[1].startswith("#!") for script in all_scripts())


def test_scripts_are_named_as_redis_names_them(client: redis.Redis) -> None:
    """The SHA-1 that we call a script by is the one that the server gives it."""
    for script in all_scripts():
        sha, source = script.for_server((6, 2))

        assert client.script_load(source) == sha


def test_every_program_is_short_and_says_what_it_takes_and_gives() -> None:
    """Keys, arguments, returns and expiry stand at the top of each operation."""
    for program in (resources.files("gateway.stores") / "lua").iterdir():
        text = program.read_text()

        assert len(text.splitlines()) < 120, program.name
        if program.name not in ("periods.lua", "counters.lua", "limits.lua", "rollups.lua"):
            head = text.split("\n\n")[0]
            for word in ("KEYS", "ARGV", "Returns", "Expiry"):
                assert word in head, (program.name, word)
