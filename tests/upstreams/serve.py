"""Run a scripted model server by hand: `python tests/upstreams/serve.py --port 9001`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.upstreams import anthropic_messages, openai_chat
from tests.upstreams.scripted import Received, Script, ScriptedUpstream


def main() -> None:
    """Answer both wire formats until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9001)
    parser.add_argument("--chunks", type=int, default=64, help="deltas per stream")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between deltas")
    parser.add_argument("--before", type=float, default=0.0, help="seconds before the first byte")
    options = parser.parse_args()
    words = [f"w{number} " for number in range(options.chunks)]
    paced = {"pause": options.pause, "before": options.before}
    chat = openai_chat.either(
        openai_chat.answer("".join(words), before=options.before),
        openai_chat.stream(words, **paced),
    )
    messages = openai_chat.either(
        anthropic_messages.answer("".join(words)), anthropic_messages.stream(words, **paced)
    )

    def play(received: Received) -> Script:
        return (messages if received.path.endswith("/messages") else chat)(received)

    async def run() -> None:
        async with ScriptedUpstream(play, port=options.port, remember=False) as upstream:
            print(upstream.url, flush=True)
            await asyncio.Event().wait()

    asyncio.run(run())


if __name__ == "__main__":
    main()
