"""Each part of the gate is needed: with one taken out in a real kernel, the test that guards it fails.

A mutant edits what the gate asks of nftables, or replaces the prepared renewal. docs/lease.md has the table.
"""

import re
from collections.abc import Callable, Sequence

import pytest

from harness.stack.sfha.kernel.nfnetlink import SetElements, Transaction, replacing
from harness.stack.sfha.kernel.nft import Nft
from harness.stack.sfha.lease import gate as gate_module
from tests.stack.sfha.kernel.kernel_rooms import Room
from tests.stack.sfha.lease import test_gate as guarded_by

Rooms = tuple[Room, Room]
Test = Callable[[Rooms], None]
Edit = Callable[[str], str]


def without(*patterns: str) -> Edit:
    """Leave out the commands that match one of these."""
    return lambda commands: "\n".join(
        line for line in commands.splitlines() if not any(re.search(pattern, line) for pattern in patterns)
    )


def forever(*sets: str) -> Edit:
    """Elements of these sets never run out."""
    return lambda commands: "\n".join(
        re.sub(r" timeout \d+ms", "", line) if re.match(rf"add element \S+ \S+ ({'|'.join(sets)})6? ", line) else line
        for line in commands.splitlines()
    )


def renewing_whatever_is_there(
    _gone: Sequence[SetElements], put: Sequence[SetElements], timeout_s: float
) -> Transaction:
    """A renewal that only adds: no compare-and-set."""
    return replacing([], put, timeout_s)


def an_old_opening(rooms: Rooms) -> None:
    guarded_by.test_an_old_decision_cannot_open_it_again(rooms, "open")


def an_old_renewal(rooms: Rooms) -> None:
    guarded_by.test_an_old_decision_cannot_open_it_again(rooms, "renew")


EDITS: dict[str, tuple[Edit, Test]] = {
    "a lease that never runs out": (forever("lease"), guarded_by.test_it_goes_dark_by_itself_when_the_lease_ends),
    "an arming that never runs out": (forever("armed"), an_old_opening),
    "opening leaves the arming": (
        without(r"^delete element \S+ \S+ armed"),
        guarded_by.test_opening_uses_the_arming_up,
    ),
    "closing leaves the lease": (
        without("^flush set"),
        guarded_by.test_it_is_closed_until_opened_and_closes_at_once_when_told,
    ),
    "ARP comes in": (
        without(r" in\S* arp "),
        guarded_by.test_on_kernels_without_an_egress_hook_no_question_comes_in,
    ),
    "IPv4 comes in": (without(r" in\S* ip "), guarded_by.test_on_kernels_without_an_egress_hook_no_question_comes_in),
    "IPv6 comes in and goes out": (
        without(r" (in|out)\S* ip6 "),
        guarded_by.test_an_ipv6_address_is_guarded_in_the_same_way,
    ),
    "ARP goes out": (without(r" out\S* arp "), guarded_by.test_a_stale_announcement_does_not_leave_the_node),
    "IPv4 goes out": (without(r" out\S* ip "), guarded_by.test_a_stale_packet_does_not_leave_the_node),
    "IPv6 goes out": (
        without(r" out\S* ip6 "),
        guarded_by.test_a_stale_packet_of_an_ipv6_address_does_not_leave_the_node,
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_what_is_taken_out_of_the_gate_is_missed(rooms: Rooms, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    edit, guard = EDITS[name]
    run, edited = Nft.run, []

    def run_edited(nft: Nft, commands: str) -> str:
        changed = edit(commands)
        edited.append(changed != commands)
        return run(nft, changed)

    monkeypatch.setattr(Nft, "run", run_edited)
    with pytest.raises(AssertionError):
        guard(rooms)
    assert any(edited), "this mutant changes nothing"


def test_a_renewal_that_only_adds_is_missed(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "replacing", renewing_whatever_is_there)
    with pytest.raises(AssertionError):
        an_old_renewal(rooms)
