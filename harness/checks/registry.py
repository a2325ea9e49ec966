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
from harness.checks.standing import body_passed, fault_bit, nothing_left_behind, probes_were_watching
from harness.checks.verdict import Verdict
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
        *CONSISTENCY_CHECKS,
    )
}


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
    """Judge a history by one expectation."""
    verdict = require(expectation)(history, **expectation.arguments)
    return replace(verdict, arguments=dict(expectation.arguments))
