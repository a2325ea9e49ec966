"""The present, as told by events."""

from itertools import count
from typing import Literal

from harness.conditions import acknowledged_since, said
from harness.events import (
    AddressAdded,
    AddressRemoved,
    Completed,
    ConnectTried,
    GateClosed,
    GateInstalled,
    GateOpened,
    Invoked,
    MembershipSeen,
    NodeClockMapped,
    NodeStarted,
    NodeStopped,
    SubjectSaid,
)
from harness.live import LiveView

VIP = "10.77.1.100"


def added(node: str, t_s: float) -> AddressAdded:
    return AddressAdded(t_s=t_s, node=node, address=VIP, interface="eth0")


def test_a_node_without_a_gate_holds_an_address_while_it_is_present() -> None:
    live = LiveView()
    live.advance([added("n1", 1.0)])
    assert live.holders(VIP, 2.0) == {"n1": 1.0}
    live.advance([AddressRemoved(t_s=3.0, node="n1", address=VIP, interface="eth0")])
    assert live.holders(VIP, 3.0) == {}


def test_a_node_with_a_gate_holds_it_only_while_the_lease_lasts() -> None:
    live = LiveView()
    live.advance([GateInstalled(t_s=0.5, node="n1", address=VIP), added("n1", 1.0)])
    assert live.holders(VIP, 1.0) == {}
    live.advance([GateOpened(t_s=1.1, node="n1", address=VIP, until_s=1.3)])
    assert live.holders(VIP, 1.2) == {"n1": 1.1}
    assert live.holders(VIP, 1.3) == {}


def test_a_renewed_lease_has_been_held_since_it_was_first_opened() -> None:
    live = LiveView()
    live.advance([GateInstalled(t_s=0.5, node="n1", address=VIP), added("n1", 1.0)])
    live.advance(GateOpened(t_s=t_s, node="n1", address=VIP, until_s=t_s + 0.2) for t_s in (1.1, 1.2, 1.3))
    assert live.holders(VIP, 1.4) == {"n1": 1.1}
    live.advance([GateOpened(t_s=2.0, node="n1", address=VIP, until_s=2.2)])
    assert live.holders(VIP, 2.1) == {"n1": 2.0}
    live.advance([GateClosed(t_s=2.1, node="n1", address=VIP)])
    assert live.holders(VIP, 2.1) == {}


def test_two_holders_are_two_holders() -> None:
    live = LiveView()
    live.advance([added("n1", 1.0), added("n2", 2.0)])
    assert live.holders(VIP, 3.0) == {"n1": 1.0, "n2": 2.0}


def test_a_node_that_loses_power_holds_and_sees_nothing() -> None:
    live = LiveView()
    live.advance([NodeStarted(t_s=0.0, node="n1", boot=1, mac="02:00:00:00:00:01"), added("n1", 1.0)])
    live.advance([MembershipSeen(t_s=1.0, node="n1", quorate=True, members=("n1", "n2"), ring="1")])
    assert live.powered == {"n1"}
    assert live.sees("n1", ["n2", "n1"])
    live.advance([NodeStopped(t_s=2.0, node="n1", how="power-cut")])
    assert live.powered == set()
    assert live.holders(VIP, 2.0) == {}
    assert not live.sees("n1", ["n1", "n2"])


def test_a_membership_counts_only_with_quorum_and_exactly() -> None:
    live = LiveView()
    live.advance([MembershipSeen(t_s=1.0, node="n1", quorate=False, members=("n1",), ring="1")])
    assert not live.sees("n1", ["n1"])
    live.advance([MembershipSeen(t_s=2.0, node="n1", quorate=True, members=("n1", "n2", "n3"), ring="2")])
    assert not live.sees("n1", ["n1", "n2"])


def test_the_newest_answered_attempt_counts() -> None:
    live = LiveView()
    assert live.last_answer_sent_s(VIP) == float("-inf")
    for ok, sent_s in ((True, 1.0), (False, 2.0)):
        live.advance(
            [ConnectTried(t_s=sent_s + 0.1, client="user", address=VIP, port=1, due_s=sent_s, sent_s=sent_s, ok=ok)]
        )
    assert live.last_answer_sent_s(VIP) == 1.0


def test_a_store_works_again_when_writes_are_acknowledged_whatever_is_read() -> None:
    live, number = LiveView(), count(1)

    def done(function: str, outcome: Literal["ok", "failed", "unknown"] = "ok") -> None:
        operation = next(number)
        asked = Invoked(t_s=1.0, process=1, operation=operation, function=function, key="x", value=None)
        live.advance([asked, Completed(t_s=2.0, process=1, operation=operation, outcome=outcome)])

    done("write")
    condition = acknowledged_since(live, 2, "write")
    done("read")
    done("write")
    done("write", "failed")
    done("write", "unknown")
    done("read")
    assert not condition.holds(live)
    done("write")
    assert condition.holds(live)


def role(node: str, t_s: float, **fields: object) -> SubjectSaid:
    return SubjectSaid(t_s=t_s, node=node, event="role", fields=fields)


def test_what_each_node_said_last_can_be_waited_for() -> None:
    live = LiveView()
    leads = said(["n1", "n2"], "role", role="leads")
    assert leads.what == "n1, n2 said role: role leads"
    assert not leads.holds(live)
    live.advance([role("n1", 1.0, role="leads", term=1)])
    assert said(["n1"], "role").holds(live)
    assert not leads.holds(live)
    live.advance([role("n2", 2.0, role="leads")])
    assert leads.holds(live)
    live.advance([SubjectSaid(t_s=3.0, node="n2", event="started", fields={})])
    assert leads.holds(live)
    live.advance([role("n2", 4.0, role="follows")])
    assert not leads.holds(live)


def test_what_a_node_said_before_it_lost_power_does_not_count() -> None:
    live = LiveView()
    live.advance([role("n1", 1.0, role="leads"), role("n2", 1.0, role="leads")])
    live.advance([NodeStopped(t_s=2.0, node="n1", how="power-cut")])
    assert not said(["n1"], "role", role="leads").holds(live)
    assert said(["n2"], "role", role="leads").holds(live)


def mapped(t_s: float, offset_s: float, error_s: float) -> NodeClockMapped:
    return NodeClockMapped(t_s=t_s, node="n1", offset_s=offset_s, error_s=error_s)


def test_a_log_of_several_boots_is_on_the_clock_of_the_run() -> None:
    live = LiveView()
    live.advance(
        [NodeStarted(t_s=100.0, node="n1", boot=1, mac=""), mapped(100.1, 99.0, 0.01), mapped(100.2, 99.5, 0.001)]
    )
    live.advance([mapped(101.0, 80.0, 0.5), NodeStopped(t_s=160.0, node="n1", how="power-cut")])
    live.advance([NodeStarted(t_s=200.0, node="n1", boot=2, mac=""), mapped(200.1, 199.5, 0.001)])
    assert live.on_run_clock("n1", [2.0, 50.0, 49.5, 3.0, 90.0]) == [101.5, 149.5, 149.0, 202.5, 289.5]
    assert live.on_run_clock("n1", [3.0, 90.0]) == [202.5, 289.5]
    assert live.on_run_clock("n1", []) == []


def test_a_log_of_a_node_on_the_kernel_of_the_host_is_on_that_clock_already() -> None:
    live = LiveView()
    live.advance([NodeStarted(t_s=100.0, node="n1", boot=1, mac="")])
    assert live.on_run_clock("n1", [101.0, 99.0]) == [101.0, 99.0]
    assert live.on_run_clock("unheard-of", [1.0]) == [1.0]
