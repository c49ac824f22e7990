"""Reads a policy file: text to a `PolicyFile`, or every problem with its line and column."""

from __future__ import annotations

from pathlib import Path

from policies.document import Mapping, Node, Scalar, decode, kind_of, read_document
from policies.grammar.file import POLICY, VERSION
from policies.model.file import PolicyFile
from policies.problems import Place, PolicyError, Problem, Problems
from policies.shapes import WRONG


def load_policy(path: Path) -> PolicyFile:
    """Read the policy file at `path`.

    Raises:
        PolicyError: the file cannot be opened or is not a well-formed policy.
    """
    source = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"the policy file cannot be read: {reason.lower()}"
        hint = "set FAIRLEAD_POLICY to a readable file"
        problem = Problem(line=1, column=1, message=message, hint=hint)
        raise PolicyError((problem,), source) from None
    return read_policy(decode(raw, source), source)


def read_policy(text: str, source: str) -> PolicyFile:
    """Read a policy from its text; `source` names it in messages.

    Raises:
        PolicyError: broken YAML or not a well-formed policy; it holds every problem.
    """
    root = read_document(text, source)
    problems = Problems()
    if not isinstance(root, Mapping):
        if isinstance(root, Scalar) and root.value is None:
            problems.add(root.at, "the file is empty", hint="a policy starts with 'fairlead: 1'")
        else:
            problems.add(root.at, f"a policy is a mapping of keys, not {kind_of(root)}")
        problems.raise_if_any(source)
    _check_version(root, problems)
    problems.raise_if_any(source)
    policy = POLICY.read_named(root, problems, {"source": source})
    problems.raise_if_any(source)
    if policy is WRONG or not isinstance(policy, PolicyFile):
        raise AssertionError("a shape gave WRONG without noting a problem")
    return policy


def _check_version(root: Node, problems: Problems) -> None:
    if not isinstance(root, Mapping):
        return
    for entry in root.entries:
        if entry.key != "fairlead":
            continue
        value = entry.node.value if isinstance(entry.node, Scalar) else None
        if isinstance(value, int) and not isinstance(value, bool) and value == VERSION:
            return
        message = f"this is Fairlead's format {VERSION}, and the file says {kind_of(entry.node)}"
        problems.add(entry.node.at, message, hint=f"write 'fairlead: {VERSION}'", path="fairlead")
        return
    at = root.entries[0].at if root.entries else Place()
    problems.add(at, "the file does not say its format", hint=f"begin with 'fairlead: {VERSION}'")
