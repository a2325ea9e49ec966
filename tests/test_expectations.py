"""What scenarios expect: every builder names a check that exists, with arguments that it takes and JSON can carry."""

import inspect
import json

import pytest

from harness import expectations
from harness.checks.registry import require
from harness.checks.vip import one_holder
from harness.errors import UsageError
from harness.events import Expectation
from harness.expectations import Expected

VIP = "10.0.0.100"
EVERY = (
    expectations.outage_at_most(VIP, 1.0),
    expectations.outage_between(VIP, 1.0, 2.0),
    expectations.one_holder(VIP),
    expectations.one_answerer(VIP),
    expectations.never_without_quorum(VIP),
    expectations.clients_not_stranded(VIP),
    expectations.quorum_where_votes_say(),
    expectations.all_agree_afterwards(),
    expectations.nothing_lost(),
    expectations.one_writer("service"),
    expectations.writing_gap_at_most("service", 1.0),
    expectations.answered_within(0.5, share=0.9, key="x"),
    *(expectations.linearizable(model, "x") for model in ("register", "kv", "set", "list", "queue", "counter")),
    expectations.sequential_register("x"),
    expectations.session_guarantees("x"),
    expectations.session_guarantees("x", ["monotonic-reads"]),
    expectations.exclusive_lock("x", lease_s=1.0),
    expectations.set_complete("x", stale_allowed=False),
    expectations.queue_delivers("x", delivery="at-least-once", ordered=False),
    expectations.bank_balances(500.0, "x"),
    expectations.transactions("list"),
    expectations.transactions("register", "strict-serializable", "x"),
)


@pytest.mark.parametrize("expected", EVERY, ids=lambda expected: str(expected.check))
def test_an_expectation_names_a_check_that_takes_its_arguments(expected: Expected) -> None:
    assert json.loads(json.dumps(expected.arguments)) == expected.arguments
    assert require(Expectation(t_s=0.0, check=expected.check, arguments=expected.arguments)).__name__ == expected.check


def test_every_builder_is_tried_here() -> None:
    builders = [
        name
        for name, builder in inspect.getmembers(expectations, inspect.isfunction)
        if builder.__module__ == expectations.__name__
    ]
    assert len({one.check for one in EVERY}) >= len(builders)


def test_an_unknown_check_or_argument_is_told() -> None:
    with pytest.raises(UsageError, match="there is no check 'nothing'"):
        require(Expectation(t_s=0.0, check="nothing", arguments={}))
    with pytest.raises(UsageError, match=f"check {one_holder.__name__}:"):
        require(Expectation(t_s=0.0, check="one_holder", arguments={"host": VIP}))
