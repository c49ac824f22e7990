"""Checks what linters do not: sizes, banned names, and that pure packages stay pure.

    .venv/bin/python ops/check_size.py [ROOT]

One line per finding, `path:line: what is wrong; what to do`, and exit status 1 if there is any.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MODULE_LINES = 400
FUNCTION_LINES = 60
LUA_LINES = 120

#: Where sizes and names are checked.
SOURCES = ("gateway", "adapters", "policies", "ops")

#: Names that say nothing: of modules, packages, classes and functions, whole or as a last word.
BANNED = frozenset({"utils", "helpers", "common", "manager", "misc", "data", "info", "process"})

#: What decides and does not act: time, ids and vocabularies come in as arguments.
PURE = (
    "gateway/core",
    "gateway/wire",
    "gateway/classify",
    "policies/checker",
    "policies/engine.py",
    "policies/compiler.py",
    "policies/model",
    "policies/explain.py",
    "policies/estimates.py",
    "policies/narrowing.py",
    "policies/ordering.py",
    "policies/seeing.py",
    "policies/selection.py",
    "policies/matchers.py",
)

#: Modules that reach the clock, randomness, files, sockets, logs, threads or the event loop.
IMPURE_IMPORTS = frozenset(
    """
    aiohttp asyncio concurrent httpx httpx2 logging multiprocessing os pathlib psutil
    queue random redis requests secrets select selectors shutil signal socket ssl structlog
    subprocess tempfile threading time urllib.request urllib3 uuid uvloop
    """.split()
)

#: Loading packaged vocabularies once, at construction, is allowed: in functions named load_*.
LOADERS_MAY_IMPORT = frozenset({"os", "pathlib", "importlib"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(root: Path) -> Iterator[Path]:
    """Every Python file under the checked folders, in order."""
    for folder in SOURCES:
        yield from sorted((root / folder).rglob("*.py"))


def words(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in lower case."""
    spaced = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return [word for word in spaced.split("_") if word]


def is_banned(name: str) -> bool:
    """Whether a name is a banned word or ends in one (`RedisManager`, `string_utils`)."""
    parts = words(name)
    if not parts or parts[-1] not in BANNED:
        return False
    # `common`, `data` and `process` can end a name that says something (`start_process`); the
    # words for a drawer that holds anything cannot.
    return len(parts) == 1 or parts[-1] not in {"common", "data", "process"}


def check_sizes(path: Path, text: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Modules and functions that are too long."""
    lines = text.count("\n")
    if lines > MODULE_LINES:
        yield 1, f"module of {lines} lines (at most {MODULE_LINES}); split it by question answered"
    for node in ast.walk(tree):
        if isinstance(node, Function):
            first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
            length = (node.end_lineno or node.lineno) - first + 1
            if length > FUNCTION_LINES:
                yield (
                    node.lineno,
                    f"function {node.name} of {length} lines (at most {FUNCTION_LINES}); "
                    "name its parts",
                )


def check_names(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Modules, classes and functions with a name that says nothing."""
    advice = "say what it is (see the vocabulary in ops/docs/architecture.md)"
    for part in (path.stem, path.parent.name):
        if is_banned(part):
            yield 1, f"module or package named '{part}'; {advice}"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | Function) and is_banned(node.name):
            yield node.lineno, f"'{node.name}' is a banned name; {advice}"


def imported(node: ast.AST) -> list[str]:
    """The absolute module names that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        return [node.module]
    return []


def called_name(node: ast.AST) -> str:
    """What a call names: `open`, or the last two parts of `datetime.datetime.now`."""
    if not isinstance(node, ast.Call):
        return ""
    return ".".join(ast.unparse(node.func).split(".")[-2:])


def check_purity(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Imports and coroutines that have no place where things are only decided."""
    loaders = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.lstrip("_").startswith("load")
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node.lineno, "async in a pure module; the driver does the waiting"
        for name in imported(node):
            top = name.split(".")[0]
            if top not in IMPURE_IMPORTS and name not in IMPURE_IMPORTS:
                continue
            if top in LOADERS_MAY_IMPORT and loaders:
                continue
            yield (
                getattr(node, "lineno", 1),
                f"pure module imports {name}; take what it gives as an argument",
            )
        called = called_name(node)
        if called in {"open", "print", "input"}:
            inside = any(
                loader.lineno <= getattr(node, "lineno", 0) <= (loader.end_lineno or 0)
                for loader in loaders
            )
            if not inside:
                yield getattr(node, "lineno", 1), f"pure module calls {called}()"
        if called in {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}:
            yield getattr(node, "lineno", 1), f"pure module calls {called}(); time is an argument"


def is_pure(relative: str) -> bool:
    """Whether a file belongs to what must stay pure."""
    return any(relative == place or relative.startswith(f"{place}/") for place in PURE)


def check(root: Path) -> list[str]:
    """Every finding under a repository root, as printable lines."""
    findings: list[str] = []
    for path in python_files(root):
        relative = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, filename=relative)
        found = [*check_sizes(path, text, tree), *check_names(path, tree)]
        if is_pure(relative):
            found += check_purity(tree)
        findings += [f"{relative}:{line}: {message}" for line, message in found]
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*.lua")):
            lines = path.read_text(encoding="utf-8").count("\n")
            if lines >= LUA_LINES:
                relative = path.relative_to(root).as_posix()
                findings.append(
                    f"{relative}:1: Lua file of {lines} lines (under {LUA_LINES}); "
                    "one operation a file"
                )
    return findings


def main(arguments: list[str]) -> int:
    """Print the findings; 0 when there are none."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    findings = check(root)
    for line in findings:
        print(line)
    count = sum(1 for _ in python_files(root))
    print(f"{count} Python files checked, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
