"""Every check by its name, as scenarios record it and as a stored run is judged again."""

import inspect
from collections.abc import Callable
from dataclasses import replace

from harness.checks.consistency.named import CONSISTENCY_CHECKS
from harness.checks.durability import nothing_lost
from harness.checks.latency import answered_within
from harness.checks.loop import loop_not_blocked
from harness.checks.outage import outage_at_most, outage_between
from harness.checks.quorum import agree_afterwards, quorum_where_votes_say
from harness.checks.standing import body_passed, fault_bit, harness_worked, nothing_left_behind, probes_were_watching
from harness.checks.story import POWER_CUTS, power_cut_of
from harness.checks.verdict import Outcome, Verdict, failed_itself
from harness.checks.vip import never_without_quorum, one_holder
from harness.checks.wire import clients_not_stranded, one_answerer, only_the_holder_speaks
from harness.checks.writers import one_writer, writing_gap_at_most
from harness.errors import UsageError
from harness.events import Expectation
from harness.history import History

CHECKS: dict[str, Callable[..., Verdict]] = {
    function.__name__: function
    for function in (
        one_holder,
        one_answerer,
        only_the_holder_speaks,
        never_without_quorum,
        outage_at_most,
        outage_between,
        clients_not_stranded,
        quorum_where_votes_say,
        agree_afterwards,
        nothing_lost,
        answered_within,
        one_writer,
        writing_gap_at_most,
        loop_not_blocked,
        fault_bit,
        probes_were_watching,
        nothing_left_behind,
        body_passed,
        harness_worked,
        *CONSISTENCY_CHECKS,
    )
}


DURABLE = frozenset({"nothing_lost", "set_complete", "queue_delivers"})
"""Checks that say of writes that they are still there, and so have to say what they were to survive."""


def require(expectation: Expectation) -> Callable[..., Verdict]:
    """The check that an expectation names.

    Raises UsageError when there is no such check or it does not take these arguments.
    """
    check = CHECKS.get(expectation.check)
    if check is None:
        raise UsageError(f"there is no check {expectation.check!r}; the checks are {', '.join(sorted(CHECKS))}")
    try:
        inspect.signature(check).bind(None, **expectation.arguments)
    except TypeError as error:
        takes = ", ".join(list(inspect.signature(check).parameters)[1:])
        raise UsageError(f"check {expectation.check}: {error}; it takes {takes or 'no argument'}") from None
    return check


def evaluate(history: History, expectation: Expectation) -> Verdict:
    """Judge a history by one expectation. A check that fails itself says nothing of the run, and nothing of the others.

    Raises UsageError for an expectation that makes no sense (see :func:`require`).
    """
    check = require(expectation)
    try:
        verdict = check(history, **expectation.arguments)
    except Exception as error:
        verdict = failed_itself(expectation.check, error)
    if verdict.check in DURABLE and verdict.outcome is Outcome.HOLDS:
        verdict = replace(verdict, summary=f"{verdict.summary}; {POWER_CUTS[power_cut_of(history)]}")
    return replace(verdict, arguments=dict(expectation.arguments))
