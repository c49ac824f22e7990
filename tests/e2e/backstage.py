"""Scripted upstreams in a thread of their own, for tests whose clients are synchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.upstreams.scripted import Answering, ScriptedUpstream


@contextmanager
def upstream_thread(*scripts: Answering) -> Iterator[ScriptedUpstream]:
    """Run one scripted upstream beside the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    upstream = ScriptedUpstream(*scripts)
    asyncio.run_coroutine_threadsafe(upstream.__aenter__(), loop).result(10)
    try:
        yield upstream
    finally:
        asyncio.run_coroutine_threadsafe(upstream.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
