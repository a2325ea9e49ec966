"""Judging a history by the model that somebody names: what its operations mean for it, and which checks judge it.

An operation is understood, or the verdict is UNKNOWN and names it. A check that fails loses its own verdict only.
"""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from harness.checks.consistency.accounts import balanced_bank, complete_set, delivered_queue
from harness.checks.consistency.isolation import isolated
from harness.checks.consistency.keyed import Unclear, split
from harness.checks.consistency.models import OTHERS
from harness.checks.consistency.operations import Operations, operations_from
from harness.checks.consistency.search import Limits
from harness.checks.consistency.steps import Misunderstood, as_transaction, has_steps
from harness.checks.consistency.verdicts import Case, linearizable
from harness.checks.verdict import Finding, Outcome, Verdict, unknown
from harness.errors import UsageError
from harness.operations import belongs_to, hashable


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a history.

    ``total`` of the bank (a number, or a text that says one) None: what its first read shows. ``initial``: what each
    object holds at first. ``keyed``: whether values are ``[key value]``; None: see :mod:`keyed`. ``key``: only
    that object and those below it. ``tell`` is told a verdict at once when explaining it takes longer.
    Not ``whole`` is a run of ours that was cut short.
    """

    operations: Operations
    at: Callable[[float], str]
    limits: Limits
    level: str = "serializable"
    total: Any = None
    initial: Any = None
    keyed: bool | None = None
    key: str | None = None
    tell: Callable[[str], None] = lambda _: None
    whole: bool = True

    def case(self, check: str) -> Case:
        """The case for one check."""
        return Case(check, self.operations, self.at, self.tell, self.whole)


Judge = Callable[[Question, str], Verdict]
_FEW_CHOICES = 2_000
"""What does not decide transactions by so many choices is left to the search that also explains what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a model is judged: what its functions are called here, and its checks by their names.

    ``begins_with``: whether something may be there at first; ``own_keys``: whether keys are within the steps.
    """

    checks: Mapping[str, Judge]
    names: Mapping[str, str]
    begins_with: bool = False
    own_keys: bool = False


def _linearizable(model: str, asked: Question, check: str) -> Verdict:
    return linearizable(asked.case(check), model, asked.limits, asked.initial)


def _complete(asked: Question, check: str) -> Verdict:
    return complete_set(asked.case(check), stale_allowed=True)


def _delivers(asked: Question, check: str) -> Verdict:
    return delivered_queue(asked.case(check), delivery="exactly-once", ordered=True, unseen_allowed=True)


def _balances(asked: Question, check: str) -> Verdict:
    return balanced_bank(asked.case(check), total=asked.total, negative_allowed=False)


def _isolated(lists: bool, asked: Question, check: str) -> Verdict:
    return isolated(asked.case(check), lists=lists, level=asked.level, limits=asked.limits, initial=asked.initial)


def _registers(asked: Question, check: str) -> Verdict:
    """Several registers together: by what their transactions show of each other, else by a search."""
    try:
        operations = operations_from(as_transaction(one) for one in asked.operations.rows())
    except Misunderstood as error:
        return unknown(check, f"not understood: {asked.at(error.at_s)}: {error}")
    case = replace(asked.case(check), operations=operations)
    if not isinstance(asked.initial, dict):
        little = replace(asked.limits, choices=_FEW_CHOICES)
        shown = isolated(case, lists=False, level="strict-serializable", limits=little, initial=asked.initial)
        if shown.outcome is Outcome.HOLDS or (shown.outcome is Outcome.VIOLATED and shown.evidence):
            return replace(shown, summary=shown.summary.replace("strict-serializable", "linearizable"))
    held = asked.initial if isinstance(asked.initial, dict) else {OTHERS: asked.initial}
    state = frozenset((key if key is OTHERS else hashable(key), hashable(value)) for key, value in held.items())
    return linearizable(case, "registers", asked.limits, state)


def _append(asked: Question, check: str) -> Verdict:
    """Lists one by one, unless something is invoked with a list of steps."""
    if np.any(asked.operations.is_("txn")) or any(map(has_steps, _arguments(asked))):
        return _isolated(True, asked, check)
    return _linearizable("list", asked, check)


def _arguments(asked: Question) -> list[Any]:
    codes = np.unique(asked.operations.argument)
    return [asked.operations.values.decode(code) for code in codes.tolist()]


_REGISTER = {"r": "read", "w": "write", "compare-and-set": "cas"}
_LOCK = {"lock": "acquire", "unlock": "release"}
_COUNTER = {"add": "increment", "incr": "increment", "inc": "increment"}
_RECIPES: dict[str, Recipe] = {
    "register": Recipe(
        checks={"linearizable_register": partial(_linearizable, "register")}, names=_REGISTER, begins_with=True
    ),
    "kv": Recipe(checks={"linearizable_kv": partial(_linearizable, "kv")}, names={}, begins_with=True),
    "set": Recipe(checks={"linearizable_set": partial(_linearizable, "set"), "set_complete": _complete}, names={}),
    "queue": Recipe(
        checks={"linearizable_queue": partial(_linearizable, "queue"), "queue_delivers": _delivers}, names={}
    ),
    "bank": Recipe(checks={"bank_balances": _balances}, names={}),
    "append": Recipe(checks={"list_transactions": _append}, names={}),
    "counter": Recipe(
        checks={"linearizable_counter": partial(_linearizable, "counter")}, names=_COUNTER, begins_with=True
    ),
    "rw": Recipe(checks={"register_transactions": partial(_isolated, False)}, names={}, begins_with=True),
    "lock": Recipe(checks={"linearizable_lock": partial(_linearizable, "lock")}, names=_LOCK),
    "mutex": Recipe(checks={"linearizable_mutex": partial(_linearizable, "mutex")}, names=_LOCK),
    "multi-register": Recipe(checks={"linearizable_registers": _registers}, names={}, begins_with=True, own_keys=True),
}


def _judged(model: str, asked: Question) -> tuple[Verdict, ...]:
    recipe = _RECIPES[model]
    if asked.initial is not None and not recipe.begins_with:
        raise UsageError(f"--initial: what model {model} judges begins empty")
    operations = asked.operations
    if not recipe.own_keys:
        divided = split(operations, asked.at, keyed=asked.keyed)
        if isinstance(divided, Unclear):
            return tuple(unknown(check, f"not understood: {divided.why}") for check in recipe.checks)
        operations = divided
    if asked.key is not None:
        wanted = [code for code, name in enumerate(operations.names) if belongs_to(name, asked.key)]
        operations = operations.take(np.isin(operations.key, wanted))
    asked = replace(asked, operations=operations.renamed(recipe.names))
    return tuple(_guarded(judge, asked, check) for check, judge in recipe.checks.items())


def _guarded(judge: Judge, asked: Question, check: str) -> Verdict:
    """The verdict of one check; UNKNOWN with where it failed if it does, so that the others stand."""
    try:
        return judge(asked, check)
    except UsageError:
        raise
    except Exception as error:
        lines = traceback.format_exc().splitlines()
        return unknown(check, f"this check failed: {error!r}", [Finding(text=line) for line in lines[-12:]])


MODELS: dict[str, Callable[[Question], tuple[Verdict, ...]]] = {name: partial(_judged, name) for name in _RECIPES}
"""The verdicts of each model that ``harness judge --model`` knows."""
