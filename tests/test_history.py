"""Asking a history for kinds of events."""

from harness.events import AddressAdded, AddressRemoved, Event, Note
from tests.checks.story import ZERO_S, story


def test_events_of_several_kinds_come_in_the_order_of_their_times() -> None:
    history = story().node_holds("n1", 1, 3).node_holds("n2", 2, 4).note(2.5, "x").history()
    assert [event.t_s - ZERO_S for event in history.of(AddressAdded, AddressRemoved)] == [1, 2, 3, 4]
    assert [event.text for event in history.of(Note)] == ["x"]
    assert history.of(Event) == history.events
    assert history.of() == ()
