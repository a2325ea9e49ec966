"""Addresses that the kernel puts when it can, late or after the lease has gone: random worlds look for what breaks."""

import random
from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.vips.core import (
    ActivationFailed,
    AddAddress,
    AddressDone,
    AddressGone,
    Announce,
    Configured,
    Gone,
    LeaseHeld,
    LeaseLost,
    RemoveAddress,
    Signal,
    VipCore,
    Wake,
)
from harness.stack.sfha.vips.orders import KEEPS_S, STALE, VOID, Answer, Order, Put, Removal, Withdrawals

NAMES = ("web", "db")


def put(number: int, vip: str = "web", until_s: float = 10.0) -> Put:
    return Put(number, vip, "eth0", "10.0.0.100", 24, verify=False, until_s=until_s)


def removal(number: int, vip: str = "web") -> Removal:
    return Removal(number, vip, "eth0", "10.0.0.100", 24)


def test_a_removal_makes_void_what_was_ordered_before_it_and_nothing_else() -> None:
    withdrawals = Withdrawals()
    for order in (put(1), put(2, "db"), removal(3), put(4)):
        withdrawals.note(order)
    assert withdrawals.objection(put(1), 0.0) == VOID
    assert withdrawals.objection(put(2, "db"), 0.0) is None
    assert withdrawals.objection(removal(3), 0.0) is None
    assert withdrawals.objection(put(4), 0.0) is None


def test_what_has_waited_for_long_is_not_begun() -> None:
    """A process that was stopped goes on with any of its threads first."""
    withdrawals = Withdrawals()
    assert withdrawals.objection(put(1, until_s=5.0), 5.0) is None
    assert withdrawals.objection(put(1, until_s=5.0), 5.1) == STALE
    assert withdrawals.objection(removal(2), 99.0) is None


@dataclass
class World:
    """A core, the orders it gave, and a kernel that carries them out in order, each in two steps, when it likes."""

    chance: random.Random
    heeds_withdrawals: bool = True
    heeds_numbers: bool = True
    now_s: float = 0.0
    holding: bool = False
    wanted: tuple[str, ...] = NAMES
    there: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.core = VipCore(NAMES)
        self.withdrawals = Withdrawals()
        self.orders: deque[Order] = deque()
        self.begun: Order | None = None
        self.removed: set[str] = set()
        """Whose newest order is a removal that was answered: nothing of it may be here any more."""

    def step(self, signal: Signal) -> None:
        for action in self.core.step(signal, self.now_s):
            match action:
                case AddAddress(vip, number, _):
                    if not self.holding or vip not in self.wanted:
                        self.wrong.append("an address was ordered without a lease")
                    if any(one.vip == vip and isinstance(one, Put) for one in (*self.orders, self.begun) if one):
                        unvoided = self.withdrawals._void_below.get(vip, 0)
                        newest = max(one.number for one in (*self.orders, self.begun) if one and one.vip == vip)
                        if newest > unvoided:
                            self.wrong.append("an address was ordered twice")
                    self.removed.discard(vip)
                    self._give(Put(number, vip, "eth0", vip, 24, verify=False, until_s=self.now_s + KEEPS_S))
                case RemoveAddress(vip, number):
                    self._give(Removal(number, vip, "eth0", vip, 24))
                case Announce(vip):
                    if vip not in self.there or not self.holding:
                        self.wrong.append("what is not there was announced")
                case ActivationFailed():
                    pass

    def _give(self, order: Order) -> None:
        self.withdrawals.note(order)
        self.orders.append(order)

    def kernel(self) -> None:
        """It begins with something, or is done with it."""
        if self.begun is None:
            if self.orders:
                order = self.orders.popleft()
                objection = self.withdrawals.objection(order, self.now_s) if self.heeds_withdrawals else None
                if objection is not None:
                    self._answer(Answer(order, objection))
                    return
                if isinstance(order, Put) and (not self.holding or order.vip not in self.wanted):
                    self.wrong.append("an address was begun with after the lease had gone")
                self.begun = order
            return
        order, self.begun = self.begun, None
        if isinstance(order, Put):
            self.there.add(order.vip)
            if order.vip in self.removed:
                self.wrong.append("an address came after it was said to be gone")
        else:
            self.there.discard(order.vip)
        self._answer(Answer(order))

    def _answer(self, answer: Answer) -> None:
        order = answer.order
        number = order.number if self.heeds_numbers else self._expected(order)
        if isinstance(order, Put):
            self.step(AddressDone(order.vip, number, answer.error))
            return
        if not any(one.vip == order.vip for one in self.orders):
            self.removed.add(order.vip)
        self.step(AddressGone(order.vip, number))

    def _expected(self, order: Order) -> int:
        """What a core without numbers would take it for."""
        held = self.core._held.get(order.vip)
        return held.unanswered if held and held.unanswered else order.number

    def live(self, steps: int) -> None:
        for _ in range(steps):
            self.chance.choices(
                (self._time, self.kernel, self._lease, self._configure, self._interface), (10, 10, 2, 1, 1)
            )[0]()

    def _time(self) -> None:
        self.now_s += self.chance.choice((0.001, 0.05, 0.3, 1.1))
        self.step(Wake())

    def _lease(self) -> None:
        self.holding = not self.holding
        self.step(LeaseHeld() if self.holding else LeaseLost())

    def _configure(self) -> None:
        self.wanted = tuple(self.chance.sample(NAMES, self.chance.randint(0, len(NAMES))))
        self.step(Configured(self.wanted))

    def _interface(self) -> None:
        for name in NAMES:
            self.there.discard(name)
        self.step(Gone(NAMES))
        self.there -= set(NAMES)

    def rest(self, *, holding: bool) -> None:
        """Nothing new happens, and the kernel has time."""
        if self.holding is not holding:
            self._lease()
        for _ in range(400):
            self.kernel()
            self.now_s += 0.01
            self.step(Wake())


@given(st.integers(0, 2**32), st.booleans())
def test_whenever_the_kernel_answers_addresses_follow_the_lease(seed: int, holding: bool) -> None:
    world = World(random.Random(seed))
    world.live(200)
    assert world.wrong == []
    world.rest(holding=holding)
    assert world.wrong == []
    assert world.there == (set(world.wanted) if holding else set())
    assert world.core.active is ((holding and bool(world.core._held)) or holding)


def broken(ignored: str) -> set[str]:
    found: set[str] = set()
    for seed in range(300):
        world = World(
            random.Random(seed), heeds_withdrawals=ignored != "withdrawals", heeds_numbers=ignored != "numbers"
        )
        world.live(200)
        found |= set(world.wrong)
    return found


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("withdrawals", "an address was begun with after the lease had gone"),
        ("numbers", "what is not there was announced"),
    ],
)
def test_the_worlds_notice_what_is_left_out(how: str, what: str) -> None:
    assert what in broken(how)


def test_a_late_answer_to_an_old_order_is_not_taken_for_the_new_one() -> None:
    core = VipCore(["web"])
    assert core.step(LeaseHeld(), 10.0) == [AddAddress("web", 1, verify=True)]
    assert core.step(LeaseLost(), 10.1) == [RemoveAddress("web", 2)]
    assert core.step(LeaseHeld(), 10.2) == [AddAddress("web", 3, verify=True)]
    assert core.step(AddressDone("web", 1, None), 10.3) == []
    assert not core.present("web")
    assert core.step(AddressGone("web", 2), 10.3) == []
    assert core.step(AddressDone("web", 3, None), 10.4)[0] == Announce("web")


def test_while_the_kernel_does_not_answer_nothing_is_added_to_its_work_and_after_a_second_it_is_said() -> None:
    core = VipCore(["web"])
    core.step(LeaseHeld(), 10.0)
    core.step(AddressDone("web", 1, None), 10.0)
    assert AddAddress("web", 2, verify=False) in core.step(Wake(), 10.25)
    assert not any(isinstance(one, AddAddress) for one in core.step(Wake(), 10.9))
    assert core.present("web")
    failed = core.step(Wake(), 11.25)
    assert failed == [ActivationFailed("web", "the kernel has not answered for 1 s")]
    assert not core.present("web")
    assert core.error("web")
    assert core.wake_s is not None
    assert core.wake_s > 12.0, "it is not asked in a hurry"
    assert Announce("web") in core.step(AddressDone("web", 2, None), 13.0)
    assert core.present("web")
    assert core.error("web") is None
