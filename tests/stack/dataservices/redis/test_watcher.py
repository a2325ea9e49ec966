"""Whom the watcher believes."""

from typing import cast

import pytest

from harness.stack.dataservices.redis import watcher
from harness.stack.dataservices.redis.watcher import (
    Balancer,
    Pointed,
    Refused,
    Sentinel,
    follow,
    named_by_most,
    switched_to,
)

A, B = ("10.0.0.1", "6379"), ("10.0.0.2", "6379")


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ([A, A, A], A),
        ([A, A, B], A),
        ([None, B, B], B),
        ([None, None, B], None),
        ([A, B, None], None),
        ([None, None, None], None),
        ([], None),
    ],
)
def test_more_than_half_of_all_sentinels_have_to_name_it(
    answers: list[tuple[str, str] | None], named: tuple[str, str] | None
) -> None:
    assert named_by_most(answers) == named


@pytest.mark.parametrize(
    ("message", "address"),
    [
        (["message", "+switch-master", "main 10.0.0.1 6379 10.0.0.2 6379"], B),
        (["message", "+switch-master", "other 10.0.0.1 6379 10.0.0.2 6379"], None),
        (["message", "+switch-master", "main 10.0.0.1 6379"], None),
        (["pong", ""], None),
        ("PONG", None),
        (None, None),
    ],
)
def test_only_a_switch_of_our_master_is_followed(message: object, address: tuple[str, str] | None) -> None:
    assert switched_to(message, "main") == address


class Told:
    """A Sentinel that tells these, and then does not answer any more."""

    def __init__(self, *messages: object) -> None:
        self._messages = [*messages]

    def ask(self, *words: str) -> None:
        pass

    send = ask

    def says_something(self) -> bool:
        return bool(self._messages)

    def read(self) -> object:
        return self._messages.pop(0)


def test_a_balancer_that_was_started_anew_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every time that the Sentinel answers, whether it has anything to tell or not."""
    pointed: list[tuple[str, str]] = []
    balancer = Balancer("", "")
    monkeypatch.setattr(balancer, "point_at", pointed.append)
    monkeypatch.setattr(watcher, "ask_all", lambda _: A)
    sentinel = cast("Sentinel", Told("PONG", ["message", "+switch-master", "main 10.0.0.1 6379 10.0.0.2 6379"], "PONG"))
    with pytest.raises(Refused):
        follow(sentinel, {"master": "main"}, Pointed(balancer))
    assert pointed == [A, A, A, B, B, B]


def test_what_one_sentinel_tells_is_not_undone_by_one_that_is_told_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that is cut off answers, and so is asked nothing more; whom the balancer points at is common to all."""
    pointed: list[tuple[str, str]] = []
    balancer = Balancer("", "")
    monkeypatch.setattr(balancer, "point_at", pointed.append)
    monkeypatch.setattr(watcher, "ask_all", lambda _: A)
    shared = Pointed(balancer)
    cut_off, other = Told("PONG", "PONG"), Told(["message", "+switch-master", "main 10.0.0.1 6379 10.0.0.2 6379"])
    with pytest.raises(Refused):
        follow(cast("Sentinel", cut_off), {"master": "main"}, shared)
    monkeypatch.setattr(watcher, "ask_all", lambda _: None)
    with pytest.raises(Refused):
        follow(cast("Sentinel", other), {"master": "main"}, shared)
    with pytest.raises(Refused):
        follow(cast("Sentinel", Told("PONG")), {"master": "main"}, shared)
    assert pointed[-1] == B
