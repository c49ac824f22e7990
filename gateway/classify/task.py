"""What kind of work a request asks for."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.classify.cues import Cue
from gateway.core.request import ChatRequest


def task_of(request: ChatRequest, cues: Iterable[Cue]) -> str:
    """The request's task: one of `gateway.classify.cues.TASKS`."""
    if request.needs.tools or any(part.kind == "tool_result" for part in request.segments):
        return "tool_use"
    return next((cue.task for cue in cues if cue.task), "chat")
