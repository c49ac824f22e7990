"""The least that the same frameworks can do: uvicorn, Litestar and aiohttp passing bytes through.

    python -m ops.bench.bare_litestar --port 9200 --upstream http://127.0.0.1:9100

No key, no classification, no policy, no ledger: what Fairlead costs beyond this is Fairlead's own.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import uvicorn
from litestar import Litestar, Request, Response, post
from litestar.datastructures import State
from litestar.response import Stream


@post("/v1/chat/completions", status_code=200)
async def forward(
    request: Request[object, object, State], state: State
) -> Response[bytes] | Stream:
    """Send the body upstream and its answer back."""
    body = await request.body()
    upstream = await state.session.post(
        f"{state.upstream}/v1/chat/completions",
        data=body,
        headers={"content-type": "application/json"},
    )
    if upstream.content_type != "text/event-stream":
        async with upstream:
            return Response(await upstream.read(), media_type=upstream.content_type)

    async def chunks() -> AsyncIterator[bytes]:
        async with upstream:
            async for chunk in upstream.content.iter_any():
                yield chunk

    return Stream(chunks(), media_type="text/event-stream")


def application(upstream: str) -> Litestar:
    """The app with one pooled client."""

    @asynccontextmanager
    async def session(app: Litestar) -> AsyncIterator[None]:
        app.state.upstream = upstream
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
            app.state.session = client
            yield

    return Litestar([forward], lifespan=[session], openapi_config=None)


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True)
    options = parser.parse_args()
    uvicorn.run(
        application(options.upstream),
        host="127.0.0.1",
        port=options.port,
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )


if __name__ == "__main__":
    main()
