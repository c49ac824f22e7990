"""The admin plane's reports: the command's own code in a process of its own.

Rules of this file:
- a report needs memory and time that the requests of others do not wait for;
- parameters are those of `fairlead report`, except the ones that name files of this machine;
- what the command calls a wrong use is a 400 with the command's words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State

from gateway.app.admin import require_admin
from gateway.config.settings import Settings
from gateway.core.errors import FairleadError, InvalidRequest, UnknownEndpoint
from gateway.reports.catalogue import REPORTS
from gateway.reports.forms import FORMS
from gateway.runtime.children import run_fairlead
from gateway.runtime.services import Services

#: Query parameters, and the options that they are to the command.
PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        **{name: f"--{name}" for name in ("by", "across", "from", "to", "month", "zone", "org")},
        **{name: f"--{name}" for name in ("against", "method", "tokens", "bill", "accounts")},
        **{name: f"--{name}" for name in ("decimals", "currency", "format")},
        "input_share": "--input-share",
    }
)
#: Those that are said or not; their value is `true` or `false`.
_FLAGS: Mapping[str, str] = MappingProxyType({"idle": "--idle"})
_LONGEST_SECONDS = 120.0
_MOST_AT_ONCE = 2
_LONGEST_VALUE = 1000
#: The exit status of a command that was called wrong.
_USAGE = 2


@get(
    "/admin/reports/{name:str}",
    tags=["admin plane"],
    summary="A report in any form, as `fairlead report` makes it",
)
async def report_handler(request: Request[Any, Any, Any], state: State, name: str) -> Response[Any]:
    """One report; `format` is json (the default), csv, html, xlsx, parquet or pdf.

    Raises:
        UnknownEndpoint: there is no such report.
        InvalidRequest: a parameter that it does not take, or that cannot be used.
        FairleadError: it failed, took too long, or others are being made (503).
    """
    services: Services = state.services
    require_admin(request, services)
    if name not in REPORTS:
        raise UnknownEndpoint(f"There is no report '{name}'; there are: {', '.join(REPORTS)}.")
    given = {key: request.query_params[key] for key in request.query_params}
    form = given.setdefault("format", "json")
    if form not in FORMS:
        raise InvalidRequest(f"'{form}' is no format; use: {', '.join(FORMS)}", param="format")
    waiting: asyncio.Semaphore = state.setdefault("reports", asyncio.Semaphore(_MOST_AT_ONCE))
    if waiting.locked():
        raise FairleadError("Other reports are being made; try again.", http_status=503)
    async with waiting:
        content = await _made(services.settings, [name, *_options(given)])
    headers = {}
    if not FORMS[form].is_text:
        headers["content-disposition"] = f'attachment; filename="{name}.{form}"'
    return Response(content, media_type=FORMS[form].media_type, headers=headers)


def _options(given: Mapping[str, str]) -> list[str]:
    """The command's options; a value can never become an option of its own."""
    options = []
    for name, value in given.items():
        if name in _FLAGS:
            if value not in ("true", "false"):
                raise InvalidRequest(f"'{name}' is true or false, not '{value[:20]}'.", param=name)
            options += [_FLAGS[name]] if value == "true" else []
            continue
        option = PARAMETERS.get(name)
        if option is None:
            known = ", ".join((*PARAMETERS, *_FLAGS))
            raise InvalidRequest(f"'{name}' is no parameter of reports; use: {known}", param=name)
        if len(value) > _LONGEST_VALUE or "\0" in value:
            raise InvalidRequest(f"'{name}' is too long.", param=name)
        options.append(f"{option}={value}")
    return options


async def _made(settings: Settings, arguments: list[str]) -> bytes:
    try:
        ended = await run_fairlead(settings, ("report", *arguments), _LONGEST_SECONDS)
    except TimeoutError:
        raise FairleadError(
            "The report took too long; ask for a shorter span.", http_status=504
        ) from None
    words = _words(ended.complaint)
    if ended.status == _USAGE:
        raise InvalidRequest(words)
    if ended.status:
        raise FairleadError(f"The report could not be made: {words}")
    return ended.told


def _words(complaint: str) -> str:
    """What a command complained of, without the frame that a terminal shows around it."""
    framed = [line.strip("│ ") for line in complaint.splitlines() if line.startswith("│")]
    told = " ".join(framed) if framed else complaint.strip().removeprefix("fairlead: ")
    return told[-1000:]
