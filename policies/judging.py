"""Decides whether the judge of a copy may be asked, now that both answers are known.

The engine has left the judge open to the request; this asks again with the facts of what the judge
would be sent, which is the request and both answers. Either may refuse, and whatever either wants
hidden is hidden.
"""

from __future__ import annotations

import msgspec

from gateway.core.decision import Decision, Facts
from policies.compiled import CompiledPolicy
from policies.engine import refused_for_key
from policies.narrowing import apply_constraints, level_sent, why_not
from policies.second_stage import is_home
from policies.seeing import see


def decide_judging(policy: CompiledPolicy, facts: Facts, decision: Decision) -> Decision | None:
    """The decision for the call of the judge; None where it may not be asked.

    Args:
        policy: that the request was decided by.
        facts: of what the judge would be sent, among their findings those of the request.
        decision: on the request.
    """
    judge = decision.shadow.judge if decision.shadow is not None else None
    if judge is None or refused_for_key(policy, facts) is not None:
        return None
    if policy.second_stage is not None and not is_home(judge):
        # No second stage has looked at the answers, and that is what policy asks of what may leave.
        return None
    applied = apply_constraints(policy, see(policy, facts))
    if applied.blocking is not None:
        return None
    hidden = applied.mask | decision.mask
    sent = level_sent(policy, facts.profile, hidden)
    if why_not(judge, facts.profile, applied, sent) is not None:
        return None
    # A type that either wants hidden without a fake is hidden without one.
    plain = (applied.mask - applied.realistic) | (decision.mask - decision.realistic)
    caps = [cap for cap in (applied.output_cap, decision.output_cap) if cap is not None]
    return msgspec.structs.replace(
        decision,
        candidates=(judge,),
        reserve=(),
        rejected=(),
        keep="",
        cascade=None,
        aim=None,
        shadow=None,
        mask=hidden,
        realistic=hidden - plain,
        sent=sent,
        output_cap=min(caps, default=None),
    )
