"""What the watches of a node have in common, wherever its kernel is: how they begin, and how they end with it.

Opening the sources may wait long, so a thread does that while the observer goes on. The node's process 1 is
watched too: the moment it is gone everything is closed, and its addresses are gone.
"""

import os
import select
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from harness.errors import FabricError, HarnessError
from harness.events import Event, WatchEnded
from harness.history import Recorder
from harness.probes.commands import WatchNode
from harness.probes.presence import AddressTracker, GateNames, GateTracker
from harness.probes.reactor import Reactor


class WatchedNode(ABC):
    """The watch of one node, from construction to :meth:`close`. What a kind of watch has of its own is made first."""

    def __init__(
        self, command: WatchNode, reactor: Reactor, recorder: Recorder, begun: Callable[[BaseException | None], None]
    ) -> None:
        """Begins to watch; ``begun`` is called when everything is watched, or with what was in the way of it.

        Raises FabricError when the node is dead already.
        """
        self._node = command.node
        self._reactor = reactor
        self._recorder = recorder
        self._names = GateNames(command.table, command.lease_set, command.guarded_set)
        self._addresses = AddressTracker(command.node, command.addresses)
        self._gate = GateTracker(command.node, command.addresses, self._names)
        self._sockets: tuple[socket.socket, ...] = ()
        """What is read from; none before anything was opened."""
        self._begun = begun
        self._open = True
        try:
            self._process = os.pidfd_open(command.pid)
        except OSError as error:
            raise FabricError(f"node {command.node} has no process {command.pid} any more: {error.strerror}") from error
        threading.Thread(target=self._begin, args=(command.pid,), daemon=True).start()

    @abstractmethod
    def _open_sources(self, pid: int) -> None:
        """Open the sockets, and read the present state. In a thread; raises HarnessError and OSError."""

    @abstractmethod
    def _follow_sources(self) -> None:
        """Everything was opened: have the reactor look at the sockets."""

    @abstractmethod
    def _close_sources(self) -> float:
        """Close the sockets, which nobody looks at any more; the time up to which they were read."""

    def _begin(self, pid: int) -> None:
        try:
            self._open_sources(pid)
        except (HarnessError, OSError) as error:
            failure = error
            self._reactor.hand_over(lambda: self._watching(failure))
        else:
            self._reactor.hand_over(lambda: self._watching(None))

    def _watching(self, failure: BaseException | None) -> None:
        if self._open and failure is None:
            self._follow_sources()
            self._reactor.watch(self._process, self.close)
        else:
            self._open = False
            self._let_go()
        self._begun(failure)

    def close(self) -> None:
        """Let go of the node; says that its addresses are gone when it is dead."""
        if not self._open:
            return
        self._open = False
        if self._sockets and self._reactor.forget(self._process):
            self._let_go()

    def _let_go(self) -> None:
        dead = bool(select.select((self._process,), (), (), 0)[0])
        os.close(self._process)
        if not self._sockets:
            return
        for opened in self._sockets:
            self._reactor.forget(opened.fileno())
        t_s = self._close_sources()
        if dead:
            self._record(self._addresses.gone(t_s))
        self._recorder.record(WatchEnded(t_s=t_s, what="addresses", target=self._node))

    def _record(self, events: Sequence[Event]) -> None:
        for event in events:
            self._recorder.record(event)
