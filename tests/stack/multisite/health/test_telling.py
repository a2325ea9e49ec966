"""When the edge is answered at once, and when its question is held."""

from harness.stack.multisite.health.core import Rotation
from harness.stack.multisite.health.telling import SETTLE_INTERVALS, Telling
from harness.stack.multisite.routing.core import HELD_INTERVALS

EVERY_S = 0.5
SETTLE_S, HOLD_S = SETTLE_INTERVALS * EVERY_S, HELD_INTERVALS * EVERY_S
KEY = ("api", "10.0.0.1:80")
STEADY_S = 100.0


def steady() -> Telling:
    """An edge that has asked for a while: one question is open."""
    telling = Telling()
    assert telling.asked(KEY, "v1", EVERY_S, 0.0) is False
    assert telling.asked(KEY, "v1", EVERY_S, SETTLE_S) is True
    return telling


def test_a_question_of_an_edge_that_knows_is_held() -> None:
    assert steady().asked(KEY, "v1", EVERY_S, STEADY_S) is True


def test_news_wakes_who_waits_and_the_next_are_answered_at_once() -> None:
    telling = steady()
    assert telling.changed(Rotation(frozenset({KEY})), STEADY_S) == {KEY}
    assert telling.in_use(KEY) is False
    assert telling.asked(KEY, "v1", EVERY_S, STEADY_S + SETTLE_S / 2) is False
    assert telling.asked(KEY, "v1", EVERY_S, STEADY_S + 1.5 * SETTLE_S) is True
    assert telling.changed(Rotation(), STEADY_S + 9) == {KEY}
    assert telling.in_use(KEY) is True


def test_a_new_configuration_is_answered_at_once() -> None:
    telling = steady()
    assert telling.asked(KEY, "v2", EVERY_S, STEADY_S) is False


def test_an_edge_that_starts_again_is_answered_at_once() -> None:
    telling = steady()
    telling.closed(KEY)
    assert telling.asked(KEY, "v1", EVERY_S, STEADY_S) is False
    assert telling.asked(KEY, "v1", EVERY_S, STEADY_S + 1.5 * SETTLE_S) is True


def test_held_questions_do_not_look_like_a_start() -> None:
    telling = steady()
    telling.asked(KEY, "v1", EVERY_S, 1.0)
    telling.closed(KEY)
    assert telling.asked(KEY, "v1", EVERY_S, HOLD_S + 1) is True


def test_backends_that_nobody_knows_are_none_of_our_business() -> None:
    assert Telling().in_use(("x", "y")) is True
