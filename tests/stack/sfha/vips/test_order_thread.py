"""Orders for addresses, carried out in a real kernel by a thread that alone waits for it."""

import subprocess
import threading
import time
from queue import SimpleQueue

import pytest

from harness.stack.sfha.kernel.netlink import AddressTable, interface_index
from harness.stack.sfha.vips.host_addresses import HostAddresses
from harness.stack.sfha.vips.order_thread import OrderThread
from harness.stack.sfha.vips.orders import STALE, VOID, Answer, Order, Put, Removal
from tests.stack.sfha.kernel.kernel_rooms import Room

Rooms = tuple[Room, Room]
ONE, TWO = "10.9.0.100", "10.9.0.101"
WITHIN_S = 15.0


class Door:
    """Which interface has a name, as the gate says; it may keep whoever asks waiting, as the kernel does."""

    def __init__(self) -> None:
        self.open, self.asked = threading.Event(), threading.Event()
        self.open.set()

    def __call__(self, name: str) -> int:
        self.asked.set()
        assert self.open.wait(WITHIN_S)
        return interface_index(name)


class Post:
    """A thread of orders in a room, and what it has answered."""

    def __init__(self, node: Room) -> None:
        self.node, self.door = node, Door()
        self.answers: SimpleQueue[Answer] = SimpleQueue()
        self.order_thread = node.call(lambda: OrderThread(HostAddresses(AddressTable(), self.door)))

    def put(self, number: int, address: str = ONE, *, late: bool = False, verify: bool = True) -> Put:
        until_s = time.monotonic() + (-1 if late else WITHIN_S)
        order = Put(number, address, "eth0", address, 24, verify=verify, until_s=until_s)
        self.order_thread.order(order)
        return order

    def remove(self, number: int, address: str = ONE) -> Removal:
        order = Removal(number, address, "eth0", address, 24)
        self.order_thread.order(order)
        return order

    def answer(self) -> Answer:
        return self.answers.get(timeout=WITHIN_S)

    def shown(self) -> str:
        return self.node.call(lambda: subprocess.check_output(["ip", "address"], text=True))


@pytest.fixture
def post(rooms: Rooms) -> Post:
    post = Post(rooms[0])
    rooms[0].call(post.order_thread.report_to, post.answers.put)  # the thread begins in this room
    return post


def test_an_address_is_put_and_removed_and_each_is_answered(post: Post) -> None:
    order = post.put(1)
    assert post.answer() == Answer(order)
    assert ONE in post.shown()
    gone = post.remove(2)
    assert post.answer() == Answer(gone)
    assert ONE not in post.shown()


def test_what_waits_when_the_lease_goes_is_never_put(post: Post) -> None:
    """The first has begun and cannot be called back: its removal follows, and is not answered before."""
    post.door.open.clear()
    orders: list[Order] = [post.put(1), post.put(2, TWO)]
    assert post.door.asked.wait(WITHIN_S)
    orders += [post.remove(3), post.remove(4, TWO)]
    post.door.open.set()
    answers = [post.answer() for _ in orders]
    assert [one.order for one in answers] == orders
    assert [one.error for one in answers] == [None, VOID, None, None]
    shown = post.shown()
    assert ONE not in shown
    assert TWO not in shown


def test_what_is_put_again_after_its_removal_is_put(post: Post) -> None:
    post.door.open.clear()
    orders = [post.put(1), post.remove(2), post.put(3)]
    post.door.open.set()
    answers = [post.answer() for _ in orders]
    assert [one.order for one in answers] == orders
    assert answers[-1].error is None
    assert ONE in post.shown()


def test_what_comes_too_late_is_not_begun(post: Post) -> None:
    order = post.put(1, late=True)
    assert post.answer() == Answer(order, STALE)
    assert ONE not in post.shown()


def test_whoever_orders_does_not_wait(post: Post) -> None:
    post.door.open.clear()
    began_s = time.monotonic()
    orders = [post.put(1), *(post.put(number, f"10.9.0.{number}") for number in range(101, 150))]
    took_s = time.monotonic() - began_s
    assert post.answers.empty()
    post.door.open.set()
    assert [post.answer().order for _ in orders] == orders
    assert took_s < WITHIN_S / 10


def test_a_life_begins_when_the_kernel_takes_the_address(post: Post) -> None:
    """Not when it was ordered: what had to wait would be gone too soon."""
    post.door.open.clear()
    post.put(1)
    assert post.door.asked.wait(WITHIN_S)
    waited = threading.Event()
    waited.wait(1.5)  # longer than an address lives
    post.door.open.set()
    assert post.answer().error is None
    assert ONE in post.shown()


def test_an_address_that_came_to_an_interface_which_was_renamed_meanwhile_is_taken_back(post: Post) -> None:
    """Nothing guards it there."""
    calls: list[str] = []

    class Renaming(Door):
        def __call__(self, name: str) -> int:
            calls.append(name)
            if len(calls) == 2:  # the kernel was waited for
                subprocess.run(["ip", "link", "set", "eth0", "down"], check=True)
                subprocess.run(["ip", "link", "set", "eth0", "name", "lan9"], check=True)
            return interface_index(name)

    hosts = post.node.call(lambda: HostAddresses(AddressTable(), Renaming()))
    order = Put(1, ONE, "eth0", ONE, 24, verify=True, until_s=time.monotonic() + WITHIN_S)
    with pytest.raises(OSError, match="No such device: eth0"):
        post.node.call(hosts.put, order)
    assert ONE not in post.shown()
    assert "lan9" in post.shown()


def test_what_is_the_nodes_own_is_neither_put_nor_removed(post: Post) -> None:
    post.node.ip("address", "add", f"{ONE}/24", "dev", "eth0")
    post.put(1)
    assert "this node's own" in str(post.answer().error)
    order = post.remove(2)
    assert post.answer() == Answer(order, was_ours=False)
    assert ONE in post.shown()


def test_the_kernels_own_words_are_the_answer(post: Post) -> None:
    post.order_thread.order(Put(1, ONE, "eth7", ONE, 24, verify=True, until_s=time.monotonic() + WITHIN_S))
    assert post.answer().error == "No such device: eth7 (errno 19)"
    post.put(2)
    assert post.answer().error is None, "it goes on"


def test_what_an_earlier_life_has_left_is_cleared(post: Post) -> None:
    post.put(1)
    post.answer()
    assert post.node.call(post.order_thread.clear, "eth0", ONE)
    assert ONE not in post.shown()
    assert not post.node.call(post.order_thread.clear, "eth0", ONE)
