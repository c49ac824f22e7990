"""The admin plane's policy: read, changed, rolled back and looked at while the gateway runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from time import time
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import State

from gateway.app.admin import require_admin
from gateway.core.errors import FairleadError, InvalidRequest, UnknownEndpoint
from gateway.core.versions import PolicyVersion
from gateway.reports.replay import Heading, as_document
from gateway.runtime.live.changes import Changed, Overtaken
from gateway.runtime.live.dryrun import new_dry_run
from gateway.runtime.live.policy import LivePolicy
from gateway.runtime.replaying import compiled_for_replay
from gateway.runtime.services import Services
from gateway.stores import dryruns, versions
from policies.document import decode
from policies.problems import PolicyError, Problem

#: How long an answer waits for all workers to serve by the new version, in seconds.
_EVERYONE_SECONDS = 3.0
_LONGEST_ACTOR = 200
_ENTITY_TAG = re.compile(r'(?:W/)?"([^"]*)"|([^\s,"]+)')
Change = Callable[[str | None], Awaitable[Changed]]
_TAGS = ["admin plane"]


@get("/admin/policy", tags=_TAGS, summary="The text of the policy in force")
async def read_policy_handler(request: Request[Any, Any, Any], state: State) -> Response[str]:
    """YAML as it was written; the ETag is the revision, which `PUT` asks for in `If-Match`."""
    live = _live(request, state.services)
    in_force = live.follower.in_force
    return Response(
        in_force.text,
        media_type="application/yaml",
        headers=_told_of(state.services.rulings.current.policy.revision, in_force.number),
    )


@put("/admin/policy", status_code=200, tags=_TAGS, summary="Bring a policy into force")
async def put_policy_handler(request: Request[Any, Any, Any], state: State) -> Response[Any]:
    """Try a policy's YAML and bring it into force on all gateways of this Redis.

    `If-Match` says which revision it was made from (`*` for any): 428 without it, 412 when
    another one is in force by now, 422 with `findings` when the text cannot be used or one of its
    tests fails; then the policy in force stays. `x-fairlead-actor` says who does it.

    Raises:
        InvalidRequest: `If-Match` is missing, or the body is no text.
        StoreUnavailable: Redis does not answer; nothing was changed.
    """
    live = _live(request, state.services)
    wanted = _if_match(request)
    if wanted is None:
        raise InvalidRequest(
            'Say which revision you changed: send the ETag of GET /admin/policy as "If-Match".',
            code="precondition_required",
            http_status=428,
        )
    try:
        text = decode(await request.body(), "policy")
    except PolicyError as error:
        return _unfit(error)

    async def bring(revision: str | None) -> Changed:
        return await live.changes.bring(
            text, source="admin", by=_actor(request), from_revision=revision
        )

    return await _changed(live, wanted, "admin", bring)


@post("/admin/policy/rollback", status_code=200, tags=_TAGS, summary="Go back to a version")
async def rollback_handler(request: Request[Any, Any, Any], state: State) -> Response[Any]:
    """Bring an earlier version into force again, as a new one.

    The body is `{"to": REVISION or NUMBER}`; `If-Match` is honoured where it is sent.

    Raises:
        InvalidRequest: there is no such version, or its text is not kept any more.
    """
    live = _live(request, state.services)
    try:
        to = str(msgspec.json.decode(await request.body(), type=dict[str, str | int])["to"])
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError):
        raise InvalidRequest('Send {"to": "REVISION or NUMBER"}.', param="to") from None

    async def back(revision: str | None) -> Changed:
        try:
            return await live.changes.roll_back(to, by=_actor(request), from_revision=revision)
        except LookupError as error:
            raise InvalidRequest(str(error), param="to", http_status=404) from None

    return await _changed(live, _if_match(request) or ("*",), "rollback", back)


@get("/admin/policy/versions", tags=_TAGS, summary="Who changed the policy, when and how")
async def versions_handler(request: Request[Any, Any, Any], state: State) -> Any:
    """Every version that is kept, newest first, with its difference to the one before."""
    live = _live(request, state.services)
    known = await versions.ask(live.connection, versions.all_versions())
    return {"versions": msgspec.to_builtins(known)}


@get("/admin/policy/versions/{number:int}", tags=_TAGS, summary="One version with its text")
async def version_handler(request: Request[Any, Any, Any], state: State, number: int) -> Any:
    """One version.

    Raises:
        UnknownEndpoint: there is none of this number, or it is not kept any more.
    """
    live = _live(request, state.services)
    version = await versions.ask(live.connection, versions.version(number))
    text = await versions.ask(live.connection, versions.text(number))
    if version is None or text is None:
        raise UnknownEndpoint(f"There is no version {number} of the policy.")
    return {**msgspec.to_builtins(version), "text": text}


@get("/admin/policy/status", tags=_TAGS, summary="Which version each worker serves by")
async def status_handler(request: Request[Any, Any, Any], state: State) -> Any:
    """The version in force, what was refused since, and how far every worker is."""
    return await live_status(_live(request, state.services))


@post("/admin/policy/dryrun", status_code=200, tags=_TAGS, summary="Begin a dry run")
async def start_dry_run_handler(request: Request[Any, Any, Any], state: State) -> Response[Any]:
    """Let a candidate decide beside the policy in force, on real traffic; it serves nobody.

    The body is the candidate's YAML; 422 with `findings` when it cannot be used. A dry run that
    goes on is ended by it.

    Raises:
        InvalidRequest: `x-fairlead-actor` is not printable.
        StoreUnavailable: Redis does not answer.
    """
    live = _live(request, state.services)
    try:
        text = decode(await request.body(), "candidate")
        policy = await asyncio.to_thread(compiled_for_replay, text, "candidate")
    except PolicyError as error:
        return _unfit(error)
    head = await live.follower.look()
    dry_run = new_dry_run(policy.revision, head.revision, _actor(request))
    for question in dryruns.keep(dry_run, text):
        await versions.ask(live.connection, question)
    live.follower.nudge()
    return Response(msgspec.to_builtins(dry_run))


@get("/admin/policy/dryrun", tags=_TAGS, summary="What the dry run has counted")
async def dry_run_handler(request: Request[Any, Any, Any], state: State) -> Any:
    """The dry run that goes on or was the last, with what would have been otherwise.

    Raises:
        UnknownEndpoint: there was none yet.
    """
    live = _live(request, state.services)
    found = await versions.ask(live.connection, dryruns.latest())
    if found is None:
        raise UnknownEndpoint("There was no dry run yet; begin one with POST.")
    dry_run, _ = found
    tally = await versions.ask(live.connection, dryruns.counted(dry_run.id))
    heading = Heading(file="the candidate", revision=dry_run.revision)
    return {"dry_run": msgspec.to_builtins(dry_run), **as_document(heading, tally)}


@delete("/admin/policy/dryrun", status_code=200, tags=_TAGS, summary="End the dry run")
async def stop_dry_run_handler(request: Request[Any, Any, Any], state: State) -> Any:
    """End the dry run; what it counted stays.

    Raises:
        UnknownEndpoint: none goes on.
    """
    live = _live(request, state.services)
    found = await versions.ask(live.connection, dryruns.latest())
    if found is None or found[0].ended is not None:
        raise UnknownEndpoint("No dry run goes on.")
    ended = msgspec.structs.replace(found[0], ended=time())
    for question in dryruns.end(ended):
        await versions.ask(live.connection, question)
    live.follower.nudge()
    return msgspec.to_builtins(ended)


async def live_status(live: LivePolicy) -> dict[str, Any]:
    """What `GET /admin/policy/status` answers."""
    head = await live.follower.look()
    reports = await versions.ask(live.connection, versions.workers())
    version = live.follower.in_force.version
    return {
        "in_force": _brief(version) if version is not None else None,
        "file": str(live.path),
        "refused": msgspec.to_builtins(head.refused),
        "workers": msgspec.to_builtins(versions.alive(reports, time())),
    }


async def _changed(
    live: LivePolicy, wanted: tuple[str, ...], source: str, change: Change
) -> Response[Any]:
    """Make a change and tell what came of it."""
    current = (await live.follower.look()).revision
    if "*" not in wanted and current and current not in wanted:
        return _overtaken(current)
    try:
        changed = await change(None if "*" in wanted else current or None)
    except Overtaken as overtaken:
        return _overtaken(overtaken.current)
    except PolicyError as error:
        live.metrics.tried(source, "refused")
        return _unfit(error)
    live.metrics.tried(source, "in_force" if changed.is_new else "unchanged")
    version = changed.version
    behind = await live.follower.behind(version.number, _EVERYONE_SECONDS)
    told = {
        **_brief(version),
        "is_new": changed.is_new,
        "diff": version.diff if changed.is_new else "",
        "behind": msgspec.to_builtins(behind),
    }
    return Response(told, headers=_told_of(version.revision, version.number))


def _overtaken(current: str) -> Response[Any]:
    error = {
        "message": f"The policy in force is revision {current}, which is not the one that you "
        "changed. Get it again and put your change on top of it.",
        "type": "invalid_request_error",
        "code": "precondition_failed",
    }
    headers = {"etag": f'"{current}"'}
    return Response({"error": error, "revision": current}, status_code=412, headers=headers)


def _unfit(error: PolicyError) -> Response[Any]:
    found = [_finding(problem) for problem in error.problems]
    told = {
        "error": {
            "message": f"The policy cannot be used: {len(found)} problems. "
            "The one in force stays.\n" + "\n".join(one.text("policy") for one in error.problems),
            "type": "invalid_request_error",
            "code": "policy_unusable",
        },
        "findings": found,
    }
    return Response(told, status_code=422)


def _finding(problem: Problem) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(problem)
    return told | {"code": problem.code or "grammar"}


def _brief(version: PolicyVersion) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(version)
    del told["diff"]
    return told


def _told_of(revision: str, number: int) -> dict[str, str]:
    return {
        "etag": f'"{revision}"',
        "x-fairlead-policy": revision,
        "x-fairlead-policy-version": str(number),
    }


def _if_match(request: Request[Any, Any, Any]) -> tuple[str, ...] | None:
    """The revisions that a change may be made from; None where the caller does not say."""
    header = request.headers.get("if-match", "").strip()
    if not header:
        return None
    return tuple(quoted or bare for quoted, bare in _ENTITY_TAG.findall(header))


def _actor(request: Request[Any, Any, Any]) -> str:
    """Who makes a change: what they call themselves, and where they call from."""
    name = request.headers.get("x-fairlead-actor", "").strip() or "the holder of the admin key"
    if len(name) > _LONGEST_ACTOR or not name.isprintable():
        raise InvalidRequest(
            f"x-fairlead-actor must be at most {_LONGEST_ACTOR} printable characters.",
            param="x-fairlead-actor",
        )
    return f"{name}, from {request.client.host}" if request.client else name


def _live(request: Request[Any, Any, Any], services: Services) -> LivePolicy:
    require_admin(request, services)
    if services.live is None:
        raise FairleadError("This gateway serves by a fixed policy.", http_status=501)
    return services.live


POLICY_HANDLERS = (
    read_policy_handler,
    put_policy_handler,
    rollback_handler,
    versions_handler,
    version_handler,
    status_handler,
    start_dry_run_handler,
    dry_run_handler,
    stop_dry_run_handler,
)
