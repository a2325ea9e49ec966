"""Addresses follow the lease: added, kept alive, announced, removed."""

from harness.stack.sfha.config.vip_settings import VipSettings
from harness.stack.sfha.vips.core import (
    Activated,
    ActivationFailed,
    AddAddress,
    AddressDone,
    Announce,
    Configured,
    ContactRegained,
    LeaseHeld,
    LeaseLost,
    RemoveAddress,
    VipCore,
    Wake,
)


def held_core(*, announce: bool = True) -> VipCore:
    core = VipCore(["web"], announce=announce)
    assert core.step(LeaseHeld(), 10.0) == [AddAddress("web", 1, verify=True)]
    return core


def announced_at(core: VipCore, until_s: float) -> list[float]:
    times = []
    while core.wake_s is not None and core.wake_s <= until_s:
        now_s = core.wake_s
        for action in core.step(Wake(), now_s):
            if isinstance(action, AddAddress):
                core.step(AddressDone(action.vip, action.number, None), now_s)
            else:
                times.append(round(now_s, 6))
    return times


def test_an_address_is_announced_only_when_it_is_there_and_then_again_and_again() -> None:
    core = held_core()
    assert core.step(AddressDone("web", 1, None), 10.0) == [Announce("web"), Activated()]
    assert announced_at(core, 25.0) == [10.05, 10.2, 11.0, 12.0, 17.0, 22.0]


def test_how_often_it_is_announced_can_be_set_and_counts_from_the_first_seconds_on() -> None:
    core = VipCore(["web"], {"web": VipSettings(announce_every_s=1)})
    core.step(LeaseHeld(), 10.0)
    core.step(AddressDone("web", 1, None), 10.0)
    assert announced_at(core, 14.5) == [10.05, 10.2, 11.0, 12.0, 13.0, 14.0]


def test_what_is_set_counts_at_once_for_that_address_which_stays_as_it_is() -> None:
    core = VipCore(["web", "other"], {"web": VipSettings(3600)})
    core.step(LeaseHeld(), 10.0)
    for number, name in enumerate(("web", "other"), start=1):
        core.step(AddressDone(name, number, None), 10.0)
    announced_at(core, 12.5)
    assert core.step(Configured(("web", "other"), {"web": VipSettings(2)}), 12.6) == []
    assert core.active
    assert announced_at(core, 17.5) == [12.6, 12.65, 12.8, 13.6, 14.6, 16.6, 17.0]
    again = Configured(("web", "other"), {"web": VipSettings(2)})
    assert core.step(again, 17.6) == [], "nothing is different"
    assert announced_at(core, 18.0) == []


def test_a_renewal_is_asked_for_while_held() -> None:
    core = held_core()
    core.step(AddressDone("web", 1, None), 10.0)
    assert AddAddress("web", 2, verify=False) in core.step(Wake(), 10.25)


def test_what_the_kernel_refuses_is_reported_once_and_tried_again() -> None:
    core = held_core()
    assert core.step(AddressDone("web", 1, "Operation not permitted"), 10.0) == [
        ActivationFailed("web", "Operation not permitted")
    ]
    assert not core.active
    assert core.step(Wake(), 10.05) == [AddAddress("web", 2, verify=True)]
    assert core.step(AddressDone("web", 2, "Operation not permitted"), 10.05) == []
    core.step(Wake(), 10.2)
    assert core.step(AddressDone("web", 3, None), 10.2) == [Announce("web"), Activated()]


def test_losing_the_lease_takes_every_address_away() -> None:
    core = held_core()
    core.step(AddressDone("web", 1, None), 10.0)
    assert core.step(LeaseLost(), 10.1) == [RemoveAddress("web", 2)]
    assert core.wake_s is None
    assert core.step(AddressDone("web", 1, None), 10.1) == []
    assert core.step(ContactRegained(), 10.2) == []


def test_a_heal_announces_again() -> None:
    core = held_core()
    core.step(AddressDone("web", 1, None), 10.0)
    announced_at(core, 14.0)
    assert core.step(ContactRegained(), 14.1) == [Announce("web")]
    assert announced_at(core, 16.5) == [14.15, 14.3, 15.1, 16.1]


def test_announcing_can_be_broken_on_purpose() -> None:
    core = held_core(announce=False)
    assert core.step(AddressDone("web", 1, None), 10.0) == [Activated()]
    assert core.step(ContactRegained(), 10.1) == []
    assert announced_at(core, 20.0) == []
