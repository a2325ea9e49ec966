"""The trackers of addresses and gates: only changes become events, and they add up."""

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.events import AddressAdded, AddressRemoved, Event, GateClosed, GateInstalled, GateOpened
from harness.probes.netlink import AddressChange, Committed, ElementChange, GateChange, LinkChange, SetRemoved
from harness.probes.presence import AddressTracker, GateNames, GateTracker

VIP = "10.0.0.1"
LEASE, GUARDED = GateNames().lease_set, GateNames().guarded_set
_route = st.one_of(
    st.builds(AddressChange, st.booleans(), st.integers(1, 3), st.sampled_from([VIP, "10.0.0.2", "10.0.0.11"])),
    st.builds(LinkChange, st.booleans(), st.integers(1, 3), st.just("eth0")),
)


@settings(max_examples=200)
@given(st.lists(_route, max_size=30))
def test_added_and_removed_alternate_and_end_as_the_kernel_did(changes: list[AddressChange | LinkChange]) -> None:
    tracker = AddressTracker("n1", [VIP])
    present: set[int] = set()
    balance = 0
    for number, change in enumerate(changes):
        for event in tracker.feed(change, float(number)):
            assert isinstance(event, AddressAdded | AddressRemoved)
            assert event.address == VIP
            balance += 1 if isinstance(event, AddressAdded) else -1
        if isinstance(change, LinkChange):
            present -= set() if change.present else {change.index}
        elif change.address == VIP:
            (present.add if change.present else present.discard)(change.index)
        assert balance == len(present)
    assert len(tracker.gone(99.0)) == len(present)
    assert tracker.gone(99.0) == []


def test_a_fresh_look_finds_what_was_missed() -> None:
    tracker = AddressTracker("n1", [VIP, "10.0.0.2"])
    tracker.feed(LinkChange(True, 2, "eth0"), 0.0)
    tracker.feed(AddressChange(True, 2, VIP), 1.0)
    assert tracker.reconcile([AddressChange(True, 2, "10.0.0.2")], 2.0) == [
        AddressRemoved(t_s=2.0, node="n1", address=VIP, interface="eth0"),
        AddressAdded(t_s=2.0, node="n1", address="10.0.0.2", interface="eth0"),
    ]


def _fed(tracker: GateTracker, t_s: float, *changes: GateChange) -> list[Event]:
    return [event for change in (*changes, Committed()) for event in tracker.feed(change, t_s)]


def test_a_renewal_is_one_opening() -> None:
    tracker = GateTracker("n1", [VIP], GateNames())
    opened = ElementChange(True, LEASE, VIP, 0.3)
    assert _fed(tracker, 0.9, ElementChange(True, GUARDED, VIP)) == [GateInstalled(t_s=0.9, node="n1", address=VIP)]
    assert _fed(tracker, 1.0, opened) == [GateOpened(t_s=1.0, node="n1", address=VIP, until_s=1.3)]
    assert _fed(tracker, 1.2, ElementChange(False, LEASE, VIP, 0.1), opened) == [
        GateOpened(t_s=1.2, node="n1", address=VIP, until_s=1.5)
    ]
    assert _fed(tracker, 1.4, ElementChange(False, LEASE, VIP)) == [GateClosed(t_s=1.4, node="n1", address=VIP)]


def test_a_late_report_of_an_expiry_closes_nothing() -> None:
    tracker = GateTracker("n1", [VIP], GateNames())
    _fed(tracker, 1.0, ElementChange(True, LEASE, VIP, 0.3))
    assert _fed(tracker, 1.31, ElementChange(False, LEASE, VIP)) == []


def test_without_guard_everything_passes_until_there_is_one_again() -> None:
    tracker = GateTracker("n1", [VIP], GateNames())
    _fed(tracker, 1.0, ElementChange(True, GUARDED, VIP), ElementChange(True, LEASE, VIP, 9.0))
    (lifted,) = _fed(tracker, 2.0, SetRemoved(LEASE), SetRemoved(GUARDED), SetRemoved(""))
    assert isinstance(lifted, GateOpened)
    assert lifted.until_s > 1e6
    again = _fed(tracker, 3.0, ElementChange(True, GUARDED, VIP))
    assert [type(event) for event in again] == [GateInstalled, GateClosed]


def test_addresses_that_nobody_watches_are_left_out() -> None:
    tracker = GateTracker("n1", [VIP], GateNames())
    assert _fed(tracker, 1.0, ElementChange(True, GUARDED, "10.0.0.9"), ElementChange(True, "armed", VIP, 1.0)) == []
