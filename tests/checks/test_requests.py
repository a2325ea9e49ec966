"""Requests through an edge: none done twice, none lost but those that a dead backend had."""

from typing import Literal

import pytest

from harness.checks.requests import posts_executed_once, requests_failed_at_most_in_flight
from harness.checks.verdict import Outcome
from harness.events import Completed, Invoked, Served
from harness.history import History
from tests.checks.story import VIP, ZERO_S, Story, story

Told = Literal["ok", "failed", "unknown"]


class Visits:
    """A run in which n1 and n2 are backends; request 1 is sent at second 10 and its client is told a second later."""

    def __init__(self, *, loses_unsynced_writes: bool = False) -> None:
        self.story: Story = story().run(loses_unsynced_writes=loses_unsynced_writes)
        self._processes = 0

    def sent(self, number: int, told: Told, method: str = "POST") -> "Visits":
        """By a process of its own."""
        self._processes += 1
        who = {"process": self._processes, "operation": self._processes}
        self.story.events += [
            Invoked(t_s=ZERO_S + 10, function=method, key="api.test", value=number, **who),  # type: ignore[arg-type]
            Completed(t_s=ZERO_S + 11, outcome=told, value=number, **who),  # type: ignore[arg-type]
        ]
        return self

    def began(self, number: int, node: str = "n1", at: float = 10.1, method: str = "POST") -> "Visits":
        self.story.events.append(Served(t_s=ZERO_S + at, node=node, request=number, method=method, answered=False))
        return self

    def answered(self, number: int, node: str = "n1", at: float = 10.2, method: str = "POST") -> "Visits":
        self.story.events.append(Served(t_s=ZERO_S + at, node=node, request=number, method=method, answered=True))
        return self

    def lost(self, target: str, at: float, until: float | None = None) -> "Visits":
        self.story.fault("kill", target, at=at, until=until)
        return self

    def history(self) -> History:
        return self.story.ended(20).history()


def served(number: int, method: str = "POST") -> Visits:
    """Sent, done and answered."""
    return Visits().sent(number, "ok", method).began(number, method=method).answered(number, method=method)


def moving(visits: Visits, *, at: float = 10.5, until: float = 10.9) -> Visits:
    """The address goes from one edge to another while requests are under way."""
    visits.story.node_holds("n1", 0, at).node_holds("n3", until, 20)
    return visits


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("at", "until", "outcome"),
    [
        (10.5, 10.9, Outcome.HOLDS),  # under way meanwhile
        (9.0, 9.4, Outcome.HOLDS),  # sent on a connection to the edge before, while nobody could know
        (8.0, 8.4, Outcome.VIOLATED),  # long afterwards
        (11.5, 11.9, Outcome.VIOLATED),  # over before it moved
    ],
)
def test_what_was_under_way_when_the_address_moved_may_fail(
    method: str, at: float, until: float, outcome: Outcome
) -> None:
    visits = moving(served(1).sent(2, "failed", method), at=at, until=until)
    history = visits.history()
    assert requests_failed_at_most_in_flight(history, address=VIP).outcome is outcome
    assert requests_failed_at_most_in_flight(history).outcome is Outcome.VIOLATED
    assert requests_failed_at_most_in_flight(Visits().history(), address=VIP).outcome is Outcome.UNKNOWN


def test_an_address_that_goes_and_comes_back_to_the_same_edge_excuses_nothing() -> None:
    visits = served(1).sent(2, "failed", "GET")
    visits.story.node_holds("n1", 0, 10.4).node_holds("n1", 10.6, 20)
    assert requests_failed_at_most_in_flight(visits.history(), address=VIP).outcome is Outcome.VIOLATED


@pytest.mark.parametrize("check", [posts_executed_once, requests_failed_at_most_in_flight])
def test_nothing_sent_or_nothing_noted_is_no_answer(check: object) -> None:
    assert callable(check)
    assert check(Visits().history()).outcome is Outcome.UNKNOWN
    assert check(Visits().sent(1, "ok").history()).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("visits", "outcome"),
    [
        (served(1), Outcome.HOLDS),
        (served(1).sent(2, "unknown"), Outcome.HOLDS),
        (served(1).sent(2, "unknown").began(2), Outcome.HOLDS),
        (served(1).sent(2, "failed"), Outcome.HOLDS),
        (served(1).began(1, "n2"), Outcome.VIOLATED),
        (served(1).began(1), Outcome.VIOLATED),
        (served(1).sent(2, "unknown").began(2).began(2, "n2"), Outcome.VIOLATED),
        (served(1).sent(2, "failed").began(2), Outcome.VIOLATED),
        (served(1).sent(2, "ok"), Outcome.VIOLATED),
        # GETs may be asked of several.
        (served(1).sent(2, "ok", "GET").began(2, method="GET").began(2, "n2", method="GET"), Outcome.HOLDS),
    ],
)
def test_a_post_is_done_once(visits: Visits, outcome: Outcome) -> None:
    assert posts_executed_once(visits.history()).outcome is outcome


def test_a_note_that_a_power_cut_took_is_missed_by_nobody() -> None:
    visits = Visits(loses_unsynced_writes=True).sent(1, "ok").began(1).sent(2, "ok")
    assert posts_executed_once(visits.history()).outcome is Outcome.HOLDS
    assert posts_executed_once(visits.began(1, "n2").history()).outcome is Outcome.VIOLATED


@pytest.mark.parametrize(
    ("visits", "outcome"),
    [
        (served(1), Outcome.HOLDS),
        (served(1).sent(2, "unknown"), Outcome.VIOLATED),
        (served(1).sent(2, "failed", "GET"), Outcome.VIOLATED),
        (served(1).sent(2, "failed"), Outcome.VIOLATED),
        # In flight on a backend when a fault came over it, or over its site.
        (served(1).sent(2, "unknown").began(2, at=10.5).lost("n1", 10.6), Outcome.HOLDS),
        (served(1).sent(2, "unknown").began(2, at=10.5).lost("dijon", 10.6), Outcome.HOLDS),
        (served(1).sent(2, "unknown").began(2, at=10.5).answered(2, at=15).lost("n1", 10.6, 14), Outcome.HOLDS),
        # What a frozen backend took while it was frozen, and noted when it thawed.
        (served(1).sent(2, "unknown").began(2, at=14.1).lost("n1", 9.1, 14.2), Outcome.HOLDS),
        (served(1).sent(2, "unknown").began(2, at=14.1).lost("n1", 8.9, 14.2), Outcome.VIOLATED),
        # Lost on the way; who says that it was not done must not have had anybody to ask.
        (served(1).sent(2, "unknown").lost("n1", 10.5), Outcome.HOLDS),
        (served(1).sent(2, "unknown").lost("n1", 9.1), Outcome.HOLDS),
        (served(1).sent(2, "unknown").lost("n1", 8.9), Outcome.VIOLATED),
        (served(1).sent(2, "unknown").lost("n1", 11.1), Outcome.VIOLATED),
        (served(1).sent(2, "failed").lost("n1", 10.5), Outcome.VIOLATED),
        (served(1).sent(2, "failed").began(2, at=10.5).lost("n1", 10.6), Outcome.VIOLATED),
        # Another backend's fault, one that came after the answer, one that was over before.
        (served(1).sent(2, "unknown").began(2, at=10.5).lost("n2", 10.6), Outcome.VIOLATED),
        (served(1).sent(2, "unknown").began(2, at=10.5).answered(2, at=10.6).lost("n1", 10.7), Outcome.VIOLATED),
        (served(1).sent(2, "unknown").began(2, at=10.5).lost("n1", 5, 9), Outcome.VIOLATED),
        # A GET can always be asked of another one.
        (served(1).sent(2, "failed", "GET").began(2, at=10.5, method="GET").lost("n1", 10.6), Outcome.VIOLATED),
    ],
)
def test_only_what_a_lost_backend_had_may_fail(visits: Visits, outcome: Outcome) -> None:
    assert requests_failed_at_most_in_flight(visits.history()).outcome is outcome


def test_requests_of_one_number_cannot_be_told_apart() -> None:
    assert posts_executed_once(served(1).sent(1, "ok").began(1, "n2").history()).outcome is Outcome.UNKNOWN


def test_what_went_wrong_is_named() -> None:
    verdict = posts_executed_once(served(1).began(1, "n2").history())
    assert [finding.text for finding in verdict.evidence] == [
        "POST 1 (process 1) was carried out 2 times; noted by n1, n2"
    ]
    assert verdict.evidence[0].nodes == ("n1", "n2")
