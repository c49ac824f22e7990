"""The embedded server: one per home, shared, and never two on one append-only file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from gateway.stores.embedded import EmbeddedRedis, EmbeddedRedisError, open_embedded
from gateway.stores.endpoint import open_client


def server_pid(embedded: EmbeddedRedis) -> int:
    """The process id that the server itself reports."""
    with open_client(embedded.url) as client:
        return int(client.info("server")["process_id"])


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    """Closing the last user writes the log to disk, and the next start reads it."""
    first = open_embedded(tmp_path)
    with open_client(first.url) as client:
        client.set("kept", "yes")
        policy = client.config_get("maxmemory-policy")
        appending = client.config_get("append*")
    first.close()
    second = open_embedded(tmp_path)
    with open_client(second.url) as client:
        kept = client.get("kept")
    second.close()

    assert kept == b"yes"
    assert policy == {"maxmemory-policy": "noeviction"}
    assert (appending["appendonly"], appending["appendfsync"]) == ("yes", "everysec")


def test_users_share_one_server_and_the_last_one_ends_it(tmp_path: Path) -> None:
    """A second user joins the first one's server, which outlives the first one's leaving."""
    first, second = open_embedded(tmp_path), open_embedded(tmp_path)
    pids = server_pid(first), server_pid(second)
    first.close()
    between = server_pid(second)
    second.close()
    second.close()

    assert pids == (between, between)
    assert not is_running(between)
    with pytest.raises(redis.ConnectionError):
        server_pid(second)


_OPENER = """
import sys
from pathlib import Path
from gateway.stores.embedded import open_embedded
from gateway.stores.endpoint import open_client
embedded = open_embedded(Path(sys.argv[1]))
with open_client(embedded.url) as client:
    print(client.info("server")["process_id"], flush=True)
sys.stdin.read()
embedded.close()
"""


def opener(home: Path) -> subprocess.Popen[str]:
    """A process that opens the home, prints the server's process id and waits."""
    return subprocess.Popen(
        [sys.executable, "-c", _OPENER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_that_open_at_the_same_moment_get_one_server(tmp_path: Path) -> None:
    """A race of starts ends in one server, which ends with its last user."""
    openers = [opener(tmp_path) for _ in range(3)]
    pids = {int(each.stdout.readline()) for each in openers}  # type: ignore[union-attr]
    for each in openers:
        each.communicate("")

    assert len(pids) == 1
    assert [each.returncode for each in openers] == [0, 0, 0]
    assert not is_running(pids.pop())


def test_a_server_whose_users_were_killed_is_used_again(tmp_path: Path) -> None:
    """kill -9 of every user leaves the server, and the next start takes it over."""
    killed = opener(tmp_path)
    orphan = int(killed.stdout.readline())  # type: ignore[union-attr]
    killed.kill()
    killed.communicate()
    heir = open_embedded(tmp_path)
    taken_over = server_pid(heir)
    heir.close()

    assert taken_over == orphan
    assert not is_running(orphan)


def test_a_server_that_was_killed_is_replaced_with_its_writes(tmp_path: Path) -> None:
    """A stale socket and process id file do not stop the next start."""
    first = open_embedded(tmp_path)
    with open_client(first.url) as client:
        client.set("kept", "yes")
        client.execute_command("BGREWRITEAOF")
    os.kill(server_pid(first), signal.SIGKILL)
    second = open_embedded(tmp_path)
    with open_client(second.url) as client:
        kept = client.get("kept")
    first.close()
    second.close()

    assert kept == b"yes"


def test_a_server_whose_socket_was_deleted_is_replaced_and_not_doubled(tmp_path: Path) -> None:
    """Nobody can reach it any more, so it is ended before another one opens its files."""
    first = open_embedded(tmp_path)
    old = server_pid(first)
    with open_client(first.url) as client:
        client.set("kept", "yes")
    first.socket.unlink()
    second = open_embedded(tmp_path)
    new = server_pid(second)
    with open_client(second.url) as client:
        kept = client.get("kept")
    first.close()
    second.close()

    assert new != old
    assert not is_running(old)
    assert kept == b"yes"


def test_a_long_home_gets_a_short_private_socket(tmp_path: Path) -> None:
    """Where the socket's path would be too long for the system, it moves, and users agree."""
    home = tmp_path / ("long" * 30) / "home with a space"
    first, second = open_embedded(home), open_embedded(home)
    pids = server_pid(first), server_pid(second)
    first.close()
    second.close()

    assert pids[0] == pids[1]
    assert len(os.fsencode(first.socket)) <= 100
    assert first.socket.parent.stat().st_mode & 0o777 == 0o700


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(tmp_path: Path) -> None:
    """The server lives in a session of its own."""
    embedded = open_embedded(tmp_path)
    session = os.getsid(server_pid(embedded))
    embedded.close()

    assert session != os.getsid(0)


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A damaged append-only file is an error that points to the log, not a hang."""
    folder = tmp_path / "redis"
    folder.mkdir()
    (folder / "appendonly.aof").write_bytes(b"*1\r\n$3\r\nnot a command log")

    with pytest.raises(EmbeddedRedisError, match=r"ended while starting; see .*redis\.log"):
        open_embedded(tmp_path)
