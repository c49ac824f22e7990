"""Which deployments any request may reach, as formulas: the engine's steps, for all requests.

Rules of this file:
- whoever may be called on any attempt is reached: every candidate, for it can be a fallback,
  every reserve where a budget uses it, who gets a copy, who judges it, and who is asked what is
  sensitive; neither order nor share matters here;
- invariants are left out: that they are never needed is what is to be proved.
"""

from __future__ import annotations

from gateway.core.degradation import AT_HOME
from gateway.core.findings import TELLING_TYPES
from policies.checker.asked import constraints_of
from policies.checker.conditions import AnyRequest, Sight, level_of
from policies.checker.logic import Formula, all_of, any_of, both, either, negated
from policies.compiled import Budget, CompiledPolicy, Route
from policies.second_stage import is_home


class Reaching:
    """The engine's steps for one policy, as formulas.

    `blocked` says that a constraint refuses, `sent` for each level that what is sent is at least
    so sensitive, after masking, `taken` that a route of aliases is taken, `allowed`
    that clearance, constraints and abilities leave a deployment, `candidate` that it is a
    candidate, `reserve` that it stands by for a used-up budget, `shadow` that it may get a copy,
    `judge` that it may be asked to compare the copy's answer, `asked` that a second stage asks it,
    and `reached` that some call may go to it. Deployments and routes are known by name.
    """

    def __init__(self, request: AnyRequest, policy: CompiledPolicy) -> None:
        self.request, self.policy = request, policy
        self.sight = Sight(request, policy)
        names = tuple(policy.deployments)
        self.applying = tuple((one, self.sight.applies(one.when)) for one in constraints_of(policy))
        self.blocked = any_of(applies for one, applies in self.applying if one.blocks)
        self.sent = self._sent()
        self.cleared = {name: self._cleared(name) for name in names}
        self.permitted = {name: self._permitted(name) for name in names}
        self.able = {name: self._able(name) for name in names}
        self.allowed = {
            name: all_of((self.cleared[name], self.permitted[name], self.able[name]))
            for name in names
        }
        self.by_alias = request.is_value("model", lambda name: name in policy.aliases)
        self.taken, self.no_route = self._routes()
        self.candidate = {name: self._candidate(name) for name in names}
        self.served = any_of(self.candidate.values())
        self.reserve = {name: self._reserve(name) for name in names}
        self.shadow = {name: self._shadow(name) for name in names}
        self.judge = {name: self._judge(name) for name in names}
        served = {
            name: any_of(
                (self.candidate[name], self.reserve[name], self.shadow[name], self.judge[name])
            )
            for name in names
        }
        self.asked = self._asked()
        self.reached = {
            name: either(formula, self.asked.get(name, False)) for name, formula in served.items()
        }

    def asked_by_name(self, name: str) -> Formula:
        """That the caller asks for this deployment itself."""
        return self.request.is_value("model", lambda value: value == name)

    def _cleared(self, name: str) -> Formula:
        above = self.policy.deployments[name].clearance + 1
        return negated(self.sent[above]) if above < len(self.sent) else True

    def _sent(self) -> tuple[Formula, ...]:
        """The level of the findings that no constraint which applies hides."""
        hidden = {
            name: any_of(applies for one, applies in self.applying if name in one.mask)
            for name in {name for one, _ in self.applying for name in one.mask} - TELLING_TYPES
        }
        return level_of(self.request, self.policy.rules, hidden)

    def _permitted(self, name: str) -> Formula:
        return negated(any_of(applies for one, applies in self.applying if name in one.excluded))

    def _able(self, name: str) -> Formula:
        deployment, request = self.policy.deployments[name], self.request
        lacking = (flag for need, flag in request.needs.items() if not deployment.can(need))
        context = deployment.context_tokens
        tokens = request.tokens_by(deployment.tokenizer)
        fits = tokens <= context if context > 0 else True
        return both(negated(any_of(lacking)), fits)

    def _routes(self) -> tuple[dict[str, Formula], Formula]:
        taken: dict[str, Formula] = {}
        left: Formula = self.by_alias
        for route in self.policy.routes:
            yes = self.sight.told(route.when).yes
            taken[route.id] = both(left, yes)
            left = both(left, negated(yes))
        return taken, left

    def _candidate(self, name: str) -> Formula:
        chosen = either(
            self.asked_by_name(name),
            any_of(self.taken[route.id] for route in self.policy.routes if _uses(route, name)),
        )
        chosen = either(chosen, self._stands_in(name))
        return all_of((negated(self.blocked), self.allowed[name], chosen))

    def _stands_in(self, name: str) -> Formula:
        """That nothing of the route is left and policy lets whoever is at home serve."""
        at_home = self.policy.deployments[name].self_hosted
        if self.policy.degradation.no_candidate != AT_HOME or not at_home:
            return False
        return any_of(
            both(
                self.taken[route.id],
                negated(any_of(self.allowed[one] for one in route.deployments)),
            )
            for route in self.policy.routes
        )

    def _reserve(self, name: str) -> Formula:
        return both(self._keeps_reserve(), self._stands_by(name))

    def _stands_by(self, name: str) -> Formula:
        """That a decision has it in reserve, whether or not a budget would use that."""
        if not self.policy.deployments[name].self_hosted:
            return False
        unused = any_of(
            self.taken[route.id] for route in self.policy.routes if not _uses(route, name)
        )
        return all_of((self.served, unused, self.allowed[name]))

    def _asked(self) -> dict[str, Formula]:
        """That the second stage asks a deployment: somebody may be reached who is not at home.

        What a second stage finds needs no formula: it only changes facts, and every request with
        the changed facts is among those that are looked at here.
        """
        stage = self.policy.second_stage
        if stage is None or not stage.deployment:
            return {}
        leaves = any_of(
            any_of(
                (
                    *(self.candidate[name], self._stands_by(name)),
                    *(self.shadow[name], self.judge[name]),
                )
            )
            for name, one in self.policy.deployments.items()
            if not is_home(one)
        )
        formulas = (
            self.served, leaves, self.sight.applies(stage.when), self.permitted[stage.deployment]
        )  # fmt: skip
        return {stage.deployment: all_of(formulas)}

    def _shadow(self, name: str) -> Formula:
        copied = any_of(
            both(self.taken[route.id], any_of(self.allowed[one] for one in route.deployments))
            for route in self.policy.routes
            if route.shadow is not None and route.shadow.deployment == name
        )
        return all_of((negated(self.blocked), self.allowed[name], copied))

    def _judge(self, name: str) -> Formula:
        compared = any_of(
            all_of(
                (
                    self.taken[route.id],
                    any_of(self.allowed[one] for one in route.deployments),
                    self.allowed[route.shadow.deployment],
                )
            )
            for route in self.policy.routes
            if route.shadow is not None and route.shadow.judge == name
        )
        return all_of((negated(self.blocked), self.allowed[name], compared))

    def _keeps_reserve(self) -> Formula:
        """That a budget of the caller leaves self-hosted deployments when it is used up, or
        policy does when something else is away."""
        if self.policy.degradation.opens_reserve:
            return True
        return any_of(
            self._spends_from(budget)
            for budget in self.policy.budgets
            if budget.on_exhausted == "self_hosted_only"
        )

    def _spends_from(self, budget: Budget) -> Formula:
        kind, _, name = budget.scope.partition("/")
        if name != "*":
            return self.request.is_value(kind, lambda value: value == name)
        own = {
            one.scope.partition("/")[2]
            for one in self.policy.budgets
            if one.scope.startswith(f"{kind}/") and one.per == budget.per and one is not budget
        }
        return self.request.is_value(kind, lambda value: bool(value) and value not in own)


def _uses(route: Route, name: str) -> bool:
    return name in route.deployments
