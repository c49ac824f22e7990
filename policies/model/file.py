"""A whole policy file as it is written."""

from __future__ import annotations

import msgspec

from policies.model.aliases import AliasStatement
from policies.model.budgets import BudgetStatement
from policies.model.cases import CaseStatement
from policies.model.constraints import ConstraintStatement
from policies.model.defaults import DefaultsStatement
from policies.model.degradation import DegradationStatement
from policies.model.deployments import DeploymentStatement
from policies.model.limits import LimitStatement
from policies.model.never import NeverStatement
from policies.model.routes import RouteStatement
from policies.model.sensitivity import SensitivityStatement
from policies.problems import Place


class PolicyFile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole policy file, read and well-formed, not yet compiled; `source` names the file.

    `redis_down` (strict or lenient, or empty) are earlier words for that of `degradation`.
    """

    at: Place
    source: str
    fairlead: int
    deployments: tuple[DeploymentStatement, ...]
    routes: tuple[RouteStatement, ...]
    aliases: tuple[AliasStatement, ...] = ()
    sensitivity: SensitivityStatement = SensitivityStatement(at=Place())
    constraints: tuple[ConstraintStatement, ...] = ()
    never: tuple[NeverStatement, ...] = ()
    budgets: tuple[BudgetStatement, ...] = ()
    limits: tuple[LimitStatement, ...] = ()
    degradation: DegradationStatement = DegradationStatement()
    redis_down: str = ""
    tests: tuple[CaseStatement, ...] = ()
    defaults: DefaultsStatement = DefaultsStatement()
