"""What kind of work a request asks for, by cheap rules."""

from __future__ import annotations

import re

from gateway.core.request import ChatRequest

#: Every task that can be named, so that policies can be checked against the list.
TASKS = (
    "chat code maths extraction summarisation translation tool_use writing classification "
    "question_answering reasoning"
).split()

_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("translation", re.compile(r"\btranslat(?:e|ion)\b|\binto (?:french|german|spanish|english|chinese|japanese|italian)\b|\bubersetz|\btraduc|\btraduis")),
    ("summarisation", re.compile(r"\bsummar(?:y|ise|ize|ies|ising|izing)|\btl;?dr\b|\bbullet points\b|\bfasse\b|\bresume[zr]?\b|\bkey takeaways\b")),
    ("code", re.compile(r"```|\bdef |\bclass \w+[:({]|\bfunction\b.{0,40}\{|\bimport \w|\b(?:python|javascript|typescript|java|rust|golang|c\+\+|sql|regex|bash|kubernetes|docker|compil|debug|stack ?trace|unit test|refactor|segfault|deadlock|race condition|api endpoint)\b|=>|;\s*$|\bselect .{1,80} from\b")),
    ("maths", re.compile(r"\\frac|\\sum|\\int|\$[^$]{1,80}\$|\bprove\b|\bproof\b|\bequation|\bintegral|\bderivative|\bpolynomial|\bprobability|\bhow (?:many|much)\b.{0,200}\d|\bsolve\b|\bcalculate\b|\d\s*[-+*/^]\s*\d|\bsquare root\b|\btheorem\b|\bmodulo\b|\binteger")),
    ("extraction", re.compile(r"\bextract\b|\bas json\b|\binto (?:a )?(?:json|csv|table)\b|\blist all\b.{0,40}\b(?:in|from) (?:the|this)\b|\bfind all\b|\bparse\b")),
    ("classification", re.compile(r"\bclassify\b|\bsentiment\b|\bcategori[sz]e\b|\blabel (?:this|the|each)\b|\byes or no\b|\btrue or false\b|\nb[.)] .*\nc[.)] ", re.S)),
    ("writing", re.compile(r"\bwrite (?:a|an|me|the)\b|\bdraft\b|\bcompose\b|\brewrite\b|\bproofread\b|\bpoem\b|\bessay\b|\bstory\b|\be-?mail\b.{0,30}\b(?:to|for)\b|\bblog post\b|\bletter\b")),
    ("question_answering", re.compile(r"^\s*(?:what|who|when|where|which|why|how|is|are|does|do|can|did)\b.*\?\s*$", re.S)),
)  # fmt: skip


def task_of(request: ChatRequest) -> str:
    """The request's task: one of `TASKS`."""
    if request.needs.tools or any(part.kind == "tool_result" for part in request.segments):
        return "tool_use"
    return task_of_text(request.prompt)


def task_of_text(prompt: str) -> str:
    """The task of a bare prompt. Only its beginning and end are read: the ask stands there."""
    text = (prompt if len(prompt) <= 1600 else prompt[:800] + "\n" + prompt[-800:]).lower()
    for task, rule in _RULES:
        if rule.search(text) is not None:
            return task
    return "chat"
