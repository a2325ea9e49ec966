"""How a daemon ends in good order: services stop before the addresses go, and the addresses before the daemon.

What hangs is left to the kernel: services end with the daemon, and addresses by themselves.
"""

import asyncio
from contextlib import suppress
from time import monotonic

from ..logs.event_log import EventLog
from ..node.node import Node
from ..vips.orders import Answer

LOOK_EVERY_S = 0.005
LET_GO_WITHIN_S = 1.0
"""An address lives no longer than that without being renewed."""


class Stopping:
    """Made in the running loop. Hands the answers to orders for addresses to the node, and knows when one has come."""

    def __init__(self, node: Node, log: EventLog) -> None:
        self._node, self._log = node, log
        self._loop = asyncio.get_running_loop()
        self._answered = asyncio.Event()

    def answered(self, answer: Answer) -> None:
        """Called by any thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._take, answer)

    def _take(self, answer: Answer) -> None:
        self._node.address_answered(answer)
        self._answered.set()

    async def hand_over(self) -> None:
        """Stop services, for as long as they may take."""
        end_s = monotonic() + self._node.workload.patience_s
        while not self._node.leave() and self._node.workload.busy:
            if monotonic() > end_s:
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def let_go(self) -> None:
        """Release everything, and wait until the addresses are gone."""
        self._node.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(LET_GO_WITHIN_S):
                while self._node.letting_go:
                    self._answered.clear()
                    await self._answered.wait()
        if self._node.letting_go:
            self._log("warning", what="address removal", message="no answer; addresses end by themselves")
        self._log("daemon-stopped")
