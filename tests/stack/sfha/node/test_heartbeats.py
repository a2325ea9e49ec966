"""When heartbeats go: with other things that are done, and never much later than usual."""

import pytest

from harness.stack.sfha.config.timing import PROFILES, Profile
from harness.stack.sfha.election.core import Duty, Heartbeat
from harness.stack.sfha.election.preference import Wish
from harness.stack.sfha.node.heartbeats import LATEST, Heartbeats

EVERY_S = 0.2
BEAT = Heartbeat(1, 1, False, True, True, 1, None, 0, Duty(False, False, 0, Wish(0, 0, None, 0.0), 0, ()))


def heartbeats() -> tuple[Heartbeats, list[Heartbeat]]:
    """Those of a node that has just said its first one, at 0 s."""
    sent: list[Heartbeat] = []
    made = Heartbeats(lambda _to, beat: sent.append(beat), EVERY_S, 0.0)
    made.say(BEAT, 0.0)
    return made, sent


def test_one_goes_with_what_is_done_when_the_usual_pause_is_over() -> None:
    made, sent = heartbeats()
    made.say(BEAT, EVERY_S - 0.01)
    assert len(sent) == 1
    assert made.is_ready(EVERY_S)
    made.say(BEAT, EVERY_S)
    assert len(sent) == 2
    assert made.due_s == pytest.approx(EVERY_S + LATEST * EVERY_S)


def test_where_nothing_is_done_it_asks_to_be_woken() -> None:
    made, _ = heartbeats()
    assert made.due_s == pytest.approx(LATEST * EVERY_S)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_some_may_be_lost_before_anybody_is_called_silent(profile: Profile) -> None:
    assert profile.suspect_after_s >= 4 * LATEST * profile.heartbeat_s - 1e-9
