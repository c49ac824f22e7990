"""Has the two answers to a copied request compared by the deployment that policy names.

Rules of this file:
- the judge is a receiver like any other: what it would be sent (the request as it was sent, and
  both answers) is judged anew, can only be more sensitive than the request was, is masked by the
  same rules, and passes the same filter and the same guard; in doubt nothing is judged;
- its call is held, made once, settled and audited under an id of its own that says whose answers
  were compared;
- what comes of it is two numbers from 0 to 1, whatever an answer says about itself.
"""

from __future__ import annotations

import secrets

import msgspec

from gateway.core.conversation import Answer as Said
from gateway.core.decision import Decision, Facts
from gateway.core.deployment import Deployment
from gateway.core.errors import PolicyRefusal, StoreUnavailable
from gateway.core.findings import Finding
from gateway.core.judged import JudgedPair, Scored
from gateway.core.profile import Profile
from gateway.core.request import API_NAMES, ChatRequest
from gateway.runtime.answer import Answer
from gateway.runtime.bridges import APIS, back_wire, conversation_of
from gateway.runtime.client import nobody
from gateway.runtime.driver import Driver
from gateway.runtime.exchange import Exchange, new_request_id
from gateway.runtime.plans import plan_once
from gateway.runtime.services import Services
from gateway.runtime.veil import hide
from gateway.wire.judging import VERDICT_TOKENS, Verdict, judge_body, verdict_of
from policies.drawing import chance
from policies.estimates import predicted_for
from policies.judging import decide_judging

#: The API through which judges are asked.
_CHAT = APIS["/v1/chat/completions"]
#: Letters of marks: no words, and no digits that could look like a number of something.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_MARK_LENGTH = 12

#: How a comparison ends besides the outcomes of the call itself.
JUDGED = "judged"
MALFORMED = "malformed"
UNREADABLE = "unreadable"
NOT_CLEARED = "not_cleared"


async def judge_pair(
    services: Services, served: Exchange, copied: Exchange, decision: Decision
) -> None:
    """Compare the answers to a request and to its copy, if policy wants it and both came."""
    judge = decision.shadow.judge if decision.shadow is not None else None
    if judge is None or copied.outcome != "served":
        return
    asking = Exchange(new_request_id(), nobody(), _CHAT, served.ruling)
    outcome, verdict = await _ask(services, asking, served, copied, decision, judge)
    services.metrics.judgement(judge.name, outcome)
    services.log.info(
        "judge",
        request_id=asking.request_id,
        judge_of=served.request_id,
        deployment=judge.name,
        outcome=outcome,
        error=asking.error,
        cost_nanousd=asking.cost_nanousd,
    )
    if verdict is not None:
        await _learn(services, asking, served, copied, _in_place(asking, verdict))


async def _ask(
    services: Services,
    asking: Exchange,
    served: Exchange,
    copied: Exchange,
    decision: Decision,
    judge: Deployment,
) -> tuple[str, Verdict | None]:
    """How the comparison ended, with the verdict if there is one."""
    request = _question(asking, served, copied, judge)
    if request is None or back_wire(_CHAT, served.ruling.adapters[judge.name]) is None:
        return UNREADABLE, None
    profile = await services.judge(served.ruling, request, served.label())
    if profile.failed or served.facts is None:
        return NOT_CLEARED, None
    profile = await services.count_tokens(served.ruling, request, profile)
    facts = _facts(served.facts, served.judged, profile, asking.request_id)
    decided = decide_judging(served.ruling.policy, facts, decision)
    if decided is None:
        return NOT_CLEARED, None
    asking.judge_of, asking.listens = served.request_id, True
    asking.principal, asking.request, asking.profile = served.principal, request, profile
    asking.facts, asking.decided, asking.decision = facts, decided, decided
    try:
        if not await hide(services, asking, decided, request):
            return NOT_CLEARED, None
    except PolicyRefusal:
        return NOT_CLEARED, None
    plan = plan_once(services, asking, decided, request, asking.judged)
    await Driver(services, asking, request, Answer(asking)).run(plan)
    if asking.outcome != "served":
        return asking.outcome, None
    verdict = verdict_of(asking.said.text) if asking.said is not None else None
    return (MALFORMED if verdict is None else JUDGED), verdict


async def _learn(
    services: Services,
    asking: Exchange,
    served: Exchange,
    copied: Exchange,
    scores: tuple[float, float],
) -> None:
    """Count the scores as evidence, and keep them with what calibration needs of the prompt."""
    try:
        scores = await services.learning.judged(served, copied, scores)
        pair = _pair(services, asking, served, copied, scores)
        if pair is not None:
            await services.pairs.keep(served.caller.org, pair)
    except StoreUnavailable as problem:
        services.log.warning("pair_not_kept", judge_of=served.request_id, detail=problem.detail)


def _pair(
    services: Services,
    asking: Exchange,
    served: Exchange,
    copied: Exchange,
    scores: tuple[float, float],
) -> JudgedPair | None:
    """The pair as it is kept; None where the prompt cannot be told without what is hidden."""
    facts, request = served.facts, served.request
    if facts is None or request is None:
        return None
    prompt = _prompt_sent(request, served)
    if prompt is None:
        return None
    deployments = served.ruling.policy.deployments
    both = tuple(
        Scored(
            deployment=name,
            predicted=predicted_for(facts, deployments[name]),
            score=score,
            self_hosted=deployments[name].self_hosted,
        )
        for name, score in zip((served.deployment, copied.deployment), scores, strict=True)
    )
    return JudgedPair(
        request_id=served.request_id,
        at=asking.at,
        task=served.task,
        judge=asking.deployment,
        served=both[0],
        copied=both[1],
        served_first=_served_first(asking),
        features=services.features(prompt, request.size, request.tools),
    )


def _prompt_sent(request: ChatRequest, served: Exchange) -> str | None:
    """The user's last text as it was sent: with placeholders where something was hidden."""
    prompt, hidden = request.prompt, dict(served.hidden)
    for segment in request.segments:
        if segment.text and segment.pointer in hidden:
            prompt = prompt.replace(segment.text, hidden[segment.pointer])
    return None if any(value in prompt for value in served.values.values()) else prompt


def _question(
    asking: Exchange, served: Exchange, copied: Exchange, judge: Deployment
) -> ChatRequest | None:
    """What the judge is asked; None where there is nothing that it could compare."""
    if served.request is None or served.said is None or copied.said is None:
        return None
    conversation = conversation_of(served.api, served.request, served.hidden)
    if conversation is None:
        return None
    answers: tuple[Said, Said] = served.said, copied.said
    body = judge_body(
        served.request.model,
        conversation,
        answers if _served_first(asking) else (answers[1], answers[0]),
        "".join(secrets.choice(_LETTERS) for _ in range(_MARK_LENGTH)),
        schema=judge.can("schema"),
    )
    return None if body is None else _CHAT.decode(body)


def _facts(before: Facts, request: Profile, profile: Profile, request_id: str) -> Facts:
    """The facts of what the judge is sent; what was found in the request is found there still."""
    missing = request.finding_types() - profile.finding_types()
    findings = (*profile.findings, *(Finding(type=name, start=0, end=0) for name in missing))
    return msgspec.structs.replace(
        before,
        profile=msgspec.structs.replace(profile, findings=findings),
        stream=False,
        choices=1,
        max_output_tokens=VERDICT_TOKENS,
        api=API_NAMES[_CHAT.wire],
        request_id=request_id,
    )


def _served_first(asking: Exchange) -> bool:
    """Whether the answer that was served is shown first: by chance, for judges favour a place."""
    return chance(asking.request_id, "order") < 0.5


def _in_place(asking: Exchange, verdict: Verdict) -> tuple[float, float]:
    """The scores of the served answer and of the copy's."""
    scores = verdict.first, verdict.second
    return scores if _served_first(asking) else (scores[1], scores[0])
