"""A client that connects at a fixed rate, whatever becomes of the attempts before.

Open loop: an attempt is sent when it is due, also while others are still waiting, so that an
outage cannot slow down the clock it is measured with. Every attempt is independent: its own
socket, aborted by RST once connected (no TIME_WAIT piles up), given up before the kernel would
send a second SYN.
"""

import errno
import os
import select
import socket
import struct
from collections import OrderedDict

from harness.clock import now_s
from harness.events import ConnectTried, WatchEnded, WatchStarted
from harness.fabric.namespaces import enter
from harness.history import Recorder
from harness.probes.commands import StartConnects
from harness.probes.reactor import Reactor

_ABORT_ON_CLOSE = struct.pack("@ii", 1, 0)
_OUTSTANDING_LIMIT = 512
_CATCH_UP_LIMIT = 5


class Connects:
    """The attempts of one client to one address and port, from construction to :meth:`close`."""

    def __init__(self, command: StartConnects, reactor: Reactor, recorder: Recorder) -> None:
        """Raises OSError when the namespace is gone."""
        self._wanted = command
        self._reactor = reactor
        self._recorder = recorder
        self._namespace = os.open(command.namespace, os.O_RDONLY | os.O_CLOEXEC)
        self._outstanding: OrderedDict[int, tuple[socket.socket, float, float]] = OrderedDict()
        self._due_s = now_s()
        self._open = True
        recorder.record(WatchStarted(t_s=self._due_s, what="connects", target=self._target))
        self._tick()

    @property
    def _target(self) -> str:
        return f"{self._wanted.client}>{self._wanted.address}:{self._wanted.port}"

    def close(self) -> None:
        """Stop; attempts still under way are dropped unrecorded, since nobody will know how they end."""
        if not self._open:
            return
        self._open = False
        for descriptor in list(self._outstanding):
            self._forget(descriptor)
        os.close(self._namespace)
        self._recorder.record(WatchEnded(t_s=now_s(), what="connects", target=self._target))

    def _tick(self) -> None:
        if not self._open:
            return
        self._expire(now_s())
        while self._due_s <= now_s():
            self._attempt(self._due_s)
            self._due_s += self._wanted.interval_s
            if now_s() - self._due_s > _CATCH_UP_LIMIT * self._wanted.interval_s:
                # A long stall is recorded as such; a burst of late attempts would tell nothing new.
                self._due_s = now_s()
        self._reactor.at(self._due_s, self._tick)

    def _attempt(self, due_s: float) -> None:
        if len(self._outstanding) >= _OUTSTANDING_LIMIT:
            self._record(due_s, now_s(), "too many attempts outstanding")
            return
        enter(self._namespace)
        attempt = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT_ON_CLOSE)
        sent_s = now_s()
        code = attempt.connect_ex((self._wanted.address, self._wanted.port))
        if code != errno.EINPROGRESS:
            attempt.close()
            self._record(due_s, sent_s, _name(code))
            return
        descriptor = attempt.fileno()
        self._outstanding[descriptor] = (attempt, due_s, sent_s)
        self._reactor.watch(descriptor, lambda: self._ended(descriptor), select.EPOLLOUT)

    def _ended(self, descriptor: int) -> None:
        attempt, due_s, sent_s = self._outstanding[descriptor]
        self._record(due_s, sent_s, _name(attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))
        self._forget(descriptor)

    def _expire(self, t_s: float) -> None:
        while self._outstanding:
            descriptor, (_, due_s, sent_s) = next(iter(self._outstanding.items()))
            if t_s - sent_s < self._wanted.timeout_s:
                return
            self._record(due_s, sent_s, "timeout")
            self._forget(descriptor)

    def _forget(self, descriptor: int) -> None:
        attempt, _, _ = self._outstanding.pop(descriptor)
        self._reactor.forget(descriptor)
        attempt.close()

    def _record(self, due_s: float, sent_s: float, error: str) -> None:
        self._recorder.record(
            ConnectTried(
                t_s=now_s(),
                client=self._wanted.client,
                address=self._wanted.address,
                port=self._wanted.port,
                due_s=due_s,
                sent_s=sent_s,
                ok=not error,
                error=error,
            )
        )


def _name(code: int) -> str:
    return errno.errorcode.get(code, str(code)) if code else ""
