"""An explanation as trees for a terminal."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree

from policies.explain import (
    ConditionExplained,
    DeploymentExplained,
    Explanation,
    StatementExplained,
)


def trees(explanation: Explanation) -> list[Tree]:
    """The request, the constraints, the routes and the deployments, a tree each."""
    return [
        _request_tree(explanation),
        _statements_tree("constraints (all that hold apply)", explanation.constraints),
        *(
            [_statements_tree("never (enforced after all constraints)", explanation.never)]
            if explanation.never
            else []
        ),
        _statements_tree("routes (the first that holds is taken)", explanation.routes),
        _deployments_tree(explanation.deployments),
    ]


def _request_tree(told: Explanation) -> Tree:
    if told.refusal:
        outcome = Text(f"refused ({told.refusal_code}): {told.refusal}", style="red")
    else:
        outcome = Text(f"served by {told.candidates[0]}, by route {told.route}", style="green")
        if len(told.candidates) > 1:
            outcome.append(f"; then {', '.join(told.candidates[1:])}")
    tree = Tree(outcome)
    tree.add(Text(f"model asked for: {told.requested_model} (API: {told.api})"))
    found = ", ".join(told.findings) or "nothing found"
    tree.add(Text(f"sensitivity {told.sensitivity} ({found})"))
    tree.add(Text(f"difficulty {told.difficulty:.2f}, task {told.task}"))
    needs = f", needs {', '.join(told.needs)}" if told.needs else ""
    tree.add(Text(f"about {told.input_tokens} input tokens{needs}"))
    if told.mask:
        tree.add(Text(f"to be masked: {', '.join(told.mask)}; what is sent is {told.sent}"))
    if told.output_cap is not None:
        tree.add(Text(f"answer capped at {told.output_cap} tokens"))
    if told.shadow:
        judged = f", and {told.judge} judges both answers" if told.judge else ""
        tree.add(Text(f"a copy goes to {told.shadow} after the answer{judged}"))
    if told.second_stage:
        tree.add(Text(f"second stage: {told.second_stage}"))
    tree.add(Text(f"policy revision {told.revision}", style="dim"))
    return tree


def _statements_tree(title: str, statements: tuple[StatementExplained, ...]) -> Tree:
    tree = Tree(Text(title, style="bold"))
    for one in statements:
        style = "green" if one.applies else "dim"
        branch = tree.add(Text(f"{one.id}: {one.why}", style=style))
        if one.because:
            branch.add(Text(one.because, style="italic dim"))
        if one.target:
            told = f"target {one.target}: the last deployment first from difficulty {one.threshold}"
            branch.add(Text(told, style="dim"))
        if one.adds:
            branch.add(Text(f"adds {'; '.join(one.adds)}", style="dim"))
        if one.explore:
            told = f"another candidate first for {one.explore:.1%} of the requests, to learn"
            branch.add(Text(told, style="dim"))
        if one.checks:
            told = f"a cascade: every answer but the last one's must pass {', '.join(one.checks)}"
            if one.least_quality:
                told += f"; it begins at a predicted quality of {one.least_quality:.0%}"
            branch.add(Text(told, style="dim"))
        if one.condition.words != "always":
            _add_condition(branch, one.condition)
    if not statements:
        tree.add(Text("none", style="dim"))
    return tree


def _add_condition(tree: Tree, condition: ConditionExplained) -> None:
    seen = f" (it is {condition.seen})" if condition.seen else ""
    colour = {"yes": "green", "no": "red"}.get(condition.answer, "yellow")
    line = Text(f"{condition.answer}: ", style=colour).append(condition.words + seen, style="none")
    branch = tree.add(line)
    for part in condition.parts:
        _add_condition(branch, part)


def _figures(one: DeploymentExplained) -> str:
    told = f"about ${float(one.estimated_cost_usd):.6f}, at most ${float(one.most_cost_usd):.6f}"
    if one.seconds is not None:
        told += f", {one.seconds:.1f} s"
    told += f", quality {one.quality:.2f}"
    return told if one.score is None else f"{told}, score {one.score:.3f}"


def _tokens(one: DeploymentExplained) -> str:
    told = f"{one.input_tokens} tokens in, at most {one.input_tokens_at_most} ({one.tokenizer})"
    told += f", and {one.output_tokens} out"
    if one.output_quantiles is not None:
        told += " (half within {}, 90 % within {}, 99 % within {})".format(*one.output_quantiles)
    return told if one.gpu_seconds is None else f"{told}: {one.gpu_seconds:.2f} GPU-seconds"


def _deployments_tree(deployments: tuple[DeploymentExplained, ...]) -> Tree:
    tree = Tree(Text("deployments", style="bold"))
    for one in deployments:
        home = "self-hosted" if one.self_hosted else "outside"
        told = f"{one.name} ({one.model}, {home}, clearance {one.clearance})"
        if one.place is not None:
            branch = tree.add(Text(f"{one.place}. {told}: {_figures(one)}", style="green"))
        else:
            branch = tree.add(Text(f"-  {told}: {one.because}", style="dim"))
            branch.add(Text(f"it would cost {_figures(one)}", style="dim"))
        branch.add(Text(_tokens(one), style="dim"))
    return tree
