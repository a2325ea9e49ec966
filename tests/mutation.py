"""Mutation testing: ``python -m tests.mutation 200`` changes 200 places, one at a time, and runs the tests of each.

Not a test by itself, for it takes minutes. Every mutant runs in a forked process with an import hook in place of
the changed module; it is caught when a test fails or the tests take too long. What became of each is printed;
one that is not caught, and that is known to change nothing (see mutation_equivalent.py), is counted by itself.
"""

import ast
import contextlib
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import resource
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

from tests.mutation_equivalent import EQUIVALENT

PACKAGE = "harness.checks.consistency"
SLOW = ("test_oracle", "test_accounts", "test_search")
TESTS = tuple(
    map(str, sorted(Path("tests/checks/consistency").glob("test_*.py"), key=lambda path: (path.stem in SLOW, path)))
)
TOO_LONG_S = 60
"""Of processor time, so that a busy machine catches nothing; the tests take some ten seconds."""
# Wording, wiring and limits: a change of theirs is a matter of taste, not of a verdict.
LEFT_OUT = ("reasons", "verdicts", "named", "by_model", "__init__", "explain")
_COMPARES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NAMES = {
    "minimum": "maximum",
    "maximum": "minimum",
    "argmin": "argmax",
    "argmax": "argmin",
    "min": "max",
    "max": "min",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module: its number among those of the module, and where it is."""

    module: str
    path: Path
    number: int
    line: int
    change: str


class _Changer(ast.NodeTransformer):
    """Goes through a module and makes the one change of a given number; counts and describes all."""

    def __init__(self, wanted: int = -1) -> None:
        self.wanted = wanted
        self.found: list[tuple[int, str]] = []

    def _here(self, node: ast.expr | ast.stmt, change: str) -> bool:
        self.found.append((node.lineno, change))
        return len(self.found) - 1 == self.wanted

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [self.visit(one) for one in node.body]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.body = [self.visit(one) for one in node.body]
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        other = _COMPARES[type(node.ops[0])]
        if self._here(node, f"{type(node.ops[0]).__name__} to {other.__name__}"):
            node.ops[0] = other()
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        other = _OPERATORS.get(type(node.op))
        if other is not None and self._here(node, f"{type(node.op).__name__} to {other.__name__}"):
            node.op = other()
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        other = _OPERATORS.get(type(node.op))
        if other is not None and self._here(node, f"{type(node.op).__name__}= to {other.__name__}="):
            node.op = other()
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if self._here(node, "and to or, or back"):
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not | ast.Invert) and self._here(node, "negation left out"):
            return node.operand
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        if self._here(node, "if to if not"):
            node.test = ast.UnaryOp(ast.Not(), node.test)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool):
            if self._here(node, f"{node.value} to {not node.value}"):
                return ast.copy_location(ast.Constant(not node.value), node)
        elif isinstance(node.value, int) and self._here(node, f"{node.value} to {node.value + 1}"):
            return ast.copy_location(ast.Constant(node.value + 1), node)
        elif node.value in ("left", "right") and self._here(node, "other side"):
            return ast.copy_location(ast.Constant("left" if node.value == "right" else "right"), node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in ("min", "max") and self._here(node, f"{node.id} to {_NAMES[node.id]}"):
            node.id = _NAMES[node.id]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr in _NAMES and self._here(node, f"{node.attr} to {_NAMES[node.attr]}"):
            node.attr = _NAMES[node.attr]
        return node


class _Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed module to whoever imports it."""

    def __init__(self, module: str, code: CodeType) -> None:
        self._module, self._code = module, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


def mutants() -> list[Mutant]:
    """Every change that can be made."""
    found = []
    for path in sorted(Path(*PACKAGE.split(".")).glob("*.py")):
        if path.stem not in LEFT_OUT:
            changer = _Changer()
            changer.visit(ast.parse(path.read_text()))
            module = f"{PACKAGE}.{path.stem}"
            found += [Mutant(module, path, number, *what) for number, what in enumerate(changer.found)]
    return found


def is_caught(mutant: Mutant) -> bool:
    """Run the tests on a mutant, in a process of its own."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (TOO_LONG_S, TOO_LONG_S))
        os._exit(_tests_of(mutant))
    _, status = os.waitpid(child, 0)
    return status != 0


def equivalent_because(mutant: Mutant) -> str | None:
    """Why nothing can tell a change from none, if that is known."""
    text = mutant.path.read_text().splitlines()[mutant.line - 1].strip()
    return EQUIVALENT.get((mutant.path.stem, text, mutant.change))


def _tests_of(mutant: Mutant) -> int:
    import pytest

    changer = _Changer(mutant.number)
    tree = ast.fix_missing_locations(changer.visit(copy.deepcopy(ast.parse(mutant.path.read_text()))))
    sys.meta_path.insert(0, _Hook(mutant.module, compile(tree, str(mutant.path), "exec")))
    try:
        # Before pytest puts its own hook, which rewrites assertions, in front of this one.
        importlib.import_module(mutant.module)
    except Exception:
        return 1
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS]) != 0)


def _preload() -> Iterator[str]:
    for name in ("numpy", "rustworkx", "pytest", "hypothesis", "hypothesis.strategies", "harness.history"):
        importlib.import_module(name)
        yield name


def main() -> None:
    """Try as many mutants as the first argument says, chosen by the seed that is the second."""
    count, seed = [int(one) for one in sys.argv[1:3]] + [200, 1][len(sys.argv) - 1 :]
    os.environ.setdefault("HARNESS_EXAMPLES", "100")
    list(_preload())
    everything = mutants()
    chosen = random.Random(seed).sample(everything, min(count, len(everything)))
    became: Counter[str] = Counter()
    for mutant in chosen:
        why = "" if is_caught(mutant) else equivalent_because(mutant)
        verdict = "caught" if why == "" else "SURVIVED" if why is None else "equivalent"
        became[verdict] += 1
        sys.stdout.write(f"{verdict} {mutant.path}:{mutant.line} {mutant.change}{f' ({why})' if why else ''}\n")
        sys.stdout.flush()
    different = became["caught"] + became["SURVIVED"]
    sys.stdout.write(
        f"{became['caught']} of {different} caught ({became['caught'] / max(1, different):.1%}), and "
        f"{became['equivalent']} equivalent ones were not, out of {len(everything)} mutants\n"
    )


if __name__ == "__main__":
    main()
