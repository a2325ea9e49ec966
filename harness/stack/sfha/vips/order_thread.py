"""The thread that puts and removes addresses, so that nobody but it waits for the kernel.

It has netlink sockets of its own, takes one order after the other, and answers each exactly once. Nothing is waited
for at the daemon's end: what the kernel is still busy with ends by itself, and so does an address (see docs/lease.md).
"""

import _thread
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic

from .host_addresses import HostAddresses
from .orders import Answer, Order, Put, Withdrawals

Report = Callable[[Answer], None]


class OrderThread:
    """Implements ports.AddressPort. Orders that are given before ``report_to`` is called wait for that."""

    def __init__(self, hosts: HostAddresses) -> None:
        self._hosts = hosts
        self._orders: SimpleQueue[Order] = SimpleQueue()
        self._withdrawals = Withdrawals()

    def clear(self, interface: str, address: str) -> bool:
        """Take away what an earlier life has left. Waits for the kernel, and so is for the start alone.

        True when there was something. Raises OSError.
        """
        return self._hosts.clear(interface, address)

    def order(self, order: Order) -> None:
        """Have it done."""
        self._withdrawals.note(order)  # before it can be seen: what it makes void must not begin any more
        self._orders.put(order)

    def report_to(self, report: Report) -> None:
        """Begin. ``report`` is called in the thread."""
        # Not threading's: that one waits until the thread has begun, which on a busy machine takes its time.
        _thread.start_new_thread(self._work, (report,))

    def _work(self, report: Report) -> None:
        while True:
            order = self._orders.get()
            report(self._carry_out(order))

    def _carry_out(self, order: Order) -> Answer:
        objection = self._withdrawals.objection(order, monotonic())
        if objection is not None:
            return Answer(order, objection)
        try:
            if isinstance(order, Put):
                return Answer(order, self._hosts.put(order))
            return Answer(order, was_ours=self._hosts.remove(order))
        except OSError as error:
            return Answer(order, f"{error.strerror} (errno {error.errno})")
        except Exception as error:  # whatever it is, there is to be an answer, and the next order is to be carried out
            return Answer(order, f"{type(error).__name__}: {error}")
