"""The observer process: ``python -m harness.probes.observer HISTORY_FILE``.

One per run, apart from pytest, so that nothing pytest does delays a time stamp. Commands come as
JSON lines on standard input (:mod:`harness.probes.commands`), each is answered by a line on standard
output; what is seen goes straight to the history file. It ends when its standard input is closed,
so it never outlives its run. Imports little and starts no thread of its own: see ``Reactor``.
"""

import contextlib
import gc
import os
import signal
import sys
from pathlib import Path
from typing import Protocol

from harness.errors import HarnessError
from harness.events import ObserverStalled
from harness.history import Recorder
from harness.probes.commands import (
    Command,
    StartConnects,
    StopConnects,
    UnwatchNode,
    UnwatchWire,
    WatchNode,
    WatchWire,
    answer,
    decode,
)
from harness.probes.connects import Connects
from harness.probes.node_watch import NodeWatch
from harness.probes.reactor import Reactor
from harness.probes.wire_watch import WireWatch

_READ_BYTES = 1 << 16


class Watch(Protocol):
    """Something that is watched until it is closed."""

    def close(self) -> None: ...


class ObserverProcess:
    """What runs in the process: the watches by name, and the command line in and out."""

    def __init__(self, history: Path) -> None:
        self._recorder = Recorder(history)
        self._reactor = Reactor(self._stalled)
        self._watches: dict[tuple[str, ...], Watch] = {}
        self._unread = b""

    def run(self) -> None:
        """Serve until standard input is closed, then let go of everything."""
        os.set_blocking(sys.stdin.fileno(), False)
        self._reactor.watch(sys.stdin.fileno(), self._commands_ready)
        self._answer(0, "")
        try:
            self._reactor.run()
        finally:
            for watch in self._watches.values():
                watch.close()

    def _commands_ready(self) -> None:
        try:
            text = os.read(sys.stdin.fileno(), _READ_BYTES)
        except BlockingIOError:
            return
        if not text:
            self._reactor.stop()
            return
        *lines, self._unread = (self._unread + text).split(b"\n")
        for line in lines:
            self._obey(line)

    def _obey(self, line: bytes) -> None:
        number = 0
        try:
            number, command = decode(line)
            if isinstance(command, WatchNode):
                self._watch_node(number, command)
                return
            self._do(command)
        except (HarnessError, OSError, ValueError) as error:
            self._answer(number, str(error) or type(error).__name__)
        else:
            self._answer(number, "")

    def _watch_node(self, number: int, command: WatchNode) -> None:
        def begun(failure: BaseException | None) -> None:
            self._answer(number, str(failure) if failure else "")

        self._replace(("node", command.node))
        if command.own_kernel:
            from harness.probes.kernel_watch import KernelWatch

            watch: Watch = KernelWatch(command, self._reactor, self._recorder, begun)
        else:
            watch = NodeWatch(command, self._reactor, self._recorder, begun)
        self._watches["node", command.node] = watch

    def _do(self, command: Command) -> None:
        match command:
            case UnwatchNode():
                self._replace(("node", command.node))
            case WatchWire():
                self._replace(("wire", command.client))
                self._watches["wire", command.client] = WireWatch(command, self._reactor, self._recorder)
            case UnwatchWire():
                self._replace(("wire", command.client))
            case StartConnects():
                key = ("connects", command.client, command.address, str(command.port))
                self._replace(key)
                self._watches[key] = Connects(command, self._reactor, self._recorder)
            case StopConnects():
                self._replace(("connects", command.client, command.address, str(command.port)))

    def _replace(self, key: tuple[str, ...]) -> None:
        if watch := self._watches.pop(key, None):
            watch.close()

    def _answer(self, number: int, error: str) -> None:
        # The other side is gone when this fails; the end of standard input says so as well.
        with contextlib.suppress(BrokenPipeError):
            os.write(sys.stdout.fileno(), answer(number, error))

    def _stalled(self, t_s: float, gap_s: float) -> None:
        self._recorder.record(ObserverStalled(t_s=t_s, gap_s=gap_s))


def be_prompt() -> None:
    """Ask for the processor ahead of others, as far as the host allows, and never stop for a collection."""
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, which then closes our input
    with contextlib.suppress(OSError):
        os.nice(-20)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


if __name__ == "__main__":
    be_prompt()
    ObserverProcess(Path(sys.argv[1])).run()
