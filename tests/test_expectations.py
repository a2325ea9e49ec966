"""What scenarios expect: every builder names a check that exists, with arguments that it takes and JSON can carry."""

import json
import re
from pathlib import Path

import pytest

from harness import expectations
from harness.checks.declared import check as declare
from harness.checks.registry import evaluate, require
from harness.checks.verdict import Outcome, Verdict
from harness.checks.vip import one_holder
from harness.errors import UsageError
from harness.events import Expectation
from harness.expectations import Expected
from harness.history import History

VIP = "10.0.0.100"
EVERY = (
    expectations.outage_at_most(VIP, 1.0),
    expectations.outage_between(VIP, 1.0, 2.0),
    expectations.one_holder(VIP),
    expectations.one_answerer(VIP),
    expectations.never_without_quorum(VIP),
    expectations.clients_not_stranded(VIP),
    expectations.quorum_where_votes_say(),
    expectations.agree_afterwards(),
    expectations.only_the_holder_speaks(VIP),
    expectations.nothing_lost(),
    expectations.one_acknowledges("x"),
    expectations.acknowledged_gap_at_most("x", 1.0),
    expectations.one_writer("service"),
    expectations.writing_gap_at_most("service", 1.0),
    expectations.answered_within(0.5, share=0.9, key="x"),
    expectations.never_twice("service"),
    expectations.replicas_as_desired("service", 3, 10.0, surge=1),
    expectations.posts_executed_once(),
    expectations.requests_failed_at_most_in_flight(noticed_within_s=0.5),
    expectations.linearizable_register("x"),
    expectations.linearizable_kv("x"),
    expectations.linearizable_set("x"),
    expectations.linearizable_list("x"),
    expectations.linearizable_queue("x"),
    expectations.linearizable_counter(),
    expectations.sequential_register("x"),
    expectations.session_guarantees("x"),
    expectations.session_guarantees("x", ["monotonic-reads"]),
    expectations.exclusive_lock("x", lease_s=1.0),
    expectations.set_complete("x", stale_allowed=False),
    expectations.queue_delivers("x", delivery="at-least-once", ordered=False),
    expectations.bank_balances(500.0, "x"),
    expectations.list_transactions(),
    expectations.register_transactions("strict-serializable", "x"),
)


@pytest.mark.parametrize("expected", EVERY, ids=lambda expected: str(expected.check))
def test_an_expectation_names_a_check_that_takes_its_arguments(expected: Expected) -> None:
    assert json.loads(json.dumps(expected.arguments)) == expected.arguments
    assert require(Expectation(t_s=0.0, check=expected.check, arguments=expected.arguments)).__name__ == expected.check


def test_every_name_that_scenarios_say_is_tried_here_and_is_that_of_its_check() -> None:
    names = set(expectations.__all__) - {"Expected"}
    assert {one.check for one in EVERY} == names
    assert {getattr(expectations, name).__self__.__name__ for name in names} == names


def test_only_what_a_scenario_says_is_written_down() -> None:
    assert expectations.one_holder(VIP).arguments == {"address": VIP}
    assert expectations.one_holder(VIP, hand_over_s=0.1).arguments == {"address": VIP, "hand_over_s": 0.1}


def test_a_wrong_argument_is_told_where_the_scenario_says_it() -> None:
    with pytest.raises(UsageError, match=r"check one_holder: missing a required argument: 'address'; it takes address"):
        expectations.one_holder()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("check", "arguments", "words"),
    [
        ("outage_at_most", {"address": VIP, "limit_s": "1"}, "limit_s is '1': Expected `float`, got `str`"),
        ("outage_at_most", {"address": VIP, "limit_s": -1.0}, "limit_s is -1.0: Expected `float` >= 0"),
        ("outage_at_most", {"address": VIP, "limit_s": float("nan")}, "limit_s is nan: Expected `float` >= 0"),
        ("outage_at_most", {"address": 7, "limit_s": 1.0}, "address is 7: Expected `str`, got `int`"),
        ("answered_within", {"limit_s": 1, "share": 1.5}, "share is 1.5: Expected `float` <= 1.0"),
        ("queue_delivers", {"delivery": "at-most-once"}, "delivery is 'at-most-once': Invalid enum value"),
        ("session_guarantees", {"guarantees": "all"}, "guarantees is 'all': Expected `array`, got `str`"),
        ("never_without_quorum", {"address": VIP, "tolerance_s": None}, "tolerance_s is None: Expected `float`"),
    ],
)
def test_arguments_are_checked_where_they_come_in(check: str, arguments: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=f"^check {check}: {re.escape(words)}"):
        require(Expectation(t_s=0.0, check=check, arguments=arguments))


def test_a_whole_number_is_a_length_of_time() -> None:
    require(Expectation(t_s=0.0, check="outage_at_most", arguments={"address": VIP, "limit_s": 1}))


def test_two_checks_of_one_name_are_refused() -> None:
    def one_holder(history: History) -> Verdict:
        raise NotImplementedError

    with pytest.raises(UsageError, match=r"two checks are called one_holder, of harness\.checks\.vip and "):
        declare(one_holder)


def test_a_check_of_another_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an installed package has it: a module, and an entry point that names it."""
    (tmp_path / "strange_checks.py").write_text(STRANGE)
    metadata = tmp_path / "strange-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[harness.checks]\nstrange = strange_checks\n")
    monkeypatch.syspath_prepend(tmp_path)
    verdict = evaluate(History([]), Expectation(t_s=0.0, check="strange_silence", arguments={"limit_s": 2}))
    assert (verdict.outcome, verdict.summary) == (Outcome.HOLDS, "silent for 2.0 s")
    with pytest.raises(UsageError, match="check strange_silence: limit_s is 'x'"):
        require(Expectation(t_s=0.0, check="strange_silence", arguments={"limit_s": "x"}))


STRANGE = """
from harness.checks.declared import Seconds, check
from harness.checks.verdict import holds

@check
def strange_silence(history, limit_s: Seconds):
    return holds("strange_silence", f"silent for {limit_s} s")
"""


def test_an_unknown_check_or_argument_is_told() -> None:
    with pytest.raises(UsageError, match="there is no check 'nothing'"):
        require(Expectation(t_s=0.0, check="nothing", arguments={}))
    with pytest.raises(UsageError, match=f"check {one_holder.__name__}:"):
        require(Expectation(t_s=0.0, check="one_holder", arguments={"host": VIP}))
