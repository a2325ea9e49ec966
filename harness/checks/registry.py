"""Every check by its name, as scenarios record it and as a stored run is judged again.

A module of this package declares some (:mod:`harness.checks.declared`); another package brings its own by an entry
point of the group ``harness.checks`` that names a module (:mod:`harness.extensions`).
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import harness.checks
from harness.checks.declared import Check, declared
from harness.checks.story import POWER_CUTS, power_cut_of
from harness.checks.verdict import Outcome, Verdict, failed_itself
from harness.errors import UsageError
from harness.events import Expectation
from harness.extensions import load, references
from harness.history import History

GROUP = "harness.checks"


def _ours() -> "dict[str, Check[...]]":
    for module in pkgutil.walk_packages(harness.checks.__path__, f"{harness.checks.__name__}."):
        if module.name != __name__:
            importlib.import_module(module.name)
    return declared()


CHECKS = _ours()


def _others() -> "dict[str, Check[...]]":
    for reference in references(GROUP).values():
        load(reference, "the checks of", Path.cwd())
    return declared()


def require(expectation: Expectation) -> "Check[...]":
    """The check that an expectation names.

    Raises UsageError when there is no such check or it does not take these arguments.
    """
    check, _ = _required(expectation)
    return check


def check_called(name: str) -> "Check[...]":
    """The check of this name. Raises UsageError when there is none."""
    if name in CHECKS:
        return CHECKS[name]
    known = CHECKS | _others()
    if name not in known:
        raise UsageError(
            f"there is no check {name!r}; the checks are {', '.join(sorted(known))} (those of a suite are found in its "
            "directory, by its pyproject.toml, or where it is installed)"
        )
    return known[name]


def _required(expectation: Expectation) -> "tuple[Check[...], Mapping[str, Any]]":
    check = check_called(expectation.check)
    return check, check.accept(expectation.arguments)


def evaluate(history: History, expectation: Expectation) -> Verdict:
    """Judge a history by one expectation. A check that fails itself says nothing of the run, and nothing of the others.

    Raises UsageError for an expectation that makes no sense (see :func:`require`).
    """
    check, arguments = _required(expectation)
    try:
        verdict = check(history, **arguments)
    except Exception as error:
        verdict = failed_itself(expectation.check, error)
    if check.durable and verdict.outcome is Outcome.HOLDS:
        verdict = replace(verdict, summary=f"{verdict.summary}; {POWER_CUTS[power_cut_of(history)]}")
    return replace(verdict, arguments=dict(expectation.arguments))
