"""One gateway worker: an HTTP server on a socket that its supervisor opened.

Started as `python -m gateway.app.worker FD`. The supervisor holds the other end of standard
input; when it dies, however it dies, the worker ends too instead of serving on as an orphan.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from gateway.app.application import create_app
from gateway.config.settings import Settings, load_settings
from gateway.runtime.live.start import Begin, begin_worker, bench_for
from gateway.runtime.log import configure_log
from gateway.runtime.policies import PolicyUnusable
from gateway.runtime.services import open_services
from gateway.stores.endpoint import open_client


def main(descriptor: int) -> None:
    """Serve until told to stop."""
    settings = load_settings(os.environ)
    configure_log(settings.log_format)
    if settings.policy is None:
        raise SystemExit("a worker is started by its supervisor, which gives it a policy")
    begin = _begin(settings, settings.policy)
    threading.Thread(target=_die_with_supervisor, daemon=True).start()
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(lambda: open_services(settings, begin.policy, begun=begin.in_force)),
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            server_header=False,
            log_config=None,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(settings.drain_seconds),
            backlog=2048,
        )
    )
    server.run(sockets=[socket.socket(fileno=descriptor)])
    if not server.started:
        raise SystemExit(3)


def _begin(settings: Settings, path: Path) -> Begin:
    """The policy in force; Redis may be away when a worker is started again."""
    with open_client(settings.redis_url or "") as client:
        try:
            return begin_worker(client, path, bench_for(path, os.environ))
        except PolicyUnusable as error:
            raise SystemExit(str(error)) from None


def _die_with_supervisor() -> None:
    # Not through `sys.stdin`: a thread inside its buffer would spoil an ordinary exit.
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
