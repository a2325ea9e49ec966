"""A command in a node with the streams of the person who called for it: a terminal, or files and pipes.

Its standard input is the caller's own, so what the command does not read stays unread, as with a command of this
machine: a loop over the lines of a file goes on. Its output passes through us, since a daemon that it leaves behind may
keep it open: the end of the command is the end, as it is for every command in a node.
"""

import contextlib
import errno
import os
import select
import signal
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from harness.engines.attendant import attended
from harness.engines.cgroup import Cgroup
from harness.engines.enter import UMASK, in_node
from harness.errors import EngineError, HarnessError

IN_TERMINAL = ("setsid", "-c")
"""Begins a command that gets a terminal: in the node, so that its shell finds its own session and groups there."""
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_CHUNK_BYTES = 1 << 16
_TERMINAL_VARIABLES = ("TERM", "COLORTERM")
_DYING_S = 2.0
_LAST_PIECES = 256
"""More than fit into a pipe, or a terminal, at once."""


class Ended(BaseException):
    """A signal told us to end, and the command has ended with us."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.exit_code = 128 + number


@dataclass(slots=True)
class _Flow:
    """What is read here is written there."""

    source: int
    target: int
    waiting: bytes = b""
    """What a terminal of the node has not taken yet."""
    over: bool = False

    def close(self) -> None:
        """No more: who still writes is told so by the kernel (SIGPIPE)."""
        if not self.over and self.source != _STDIN:
            os.close(self.source)
        self.over = True

    def step(self) -> bool:
        """Carry a piece, as far as there is one; whether there was."""
        if self.over:
            return False
        if not self.waiting:
            chunk = _read(self.source)
            if not chunk:
                if chunk is not None:
                    self._ends()
                return False
            self.waiting = chunk
        if self.target in (_STDOUT, _STDERR):
            if not _write_all(self.target, self.waiting):
                self.close()
            self.waiting = b""
        else:
            self._offer()
        return True

    def _ends(self) -> None:
        if self.source == _STDIN:  # our terminal is gone
            raise Ended(signal.SIGHUP)
        self.close()

    def _offer(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.waiting = self.waiting[os.write(self.target, self.waiting) :]


def is_terminal() -> bool:
    """Whether a person sits there, who types and reads."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def run_with_files(
    line: Sequence[str], variables: Mapping[str, str], *, group: Cgroup, owner: tuple[int, int], with_stdin: bool
) -> int:
    """Run a command line with our standard input (or none), pass on what it writes; returns its exit code.

    ``owner`` is who its outputs belong to (user and group).
    """
    with ExitStack() as stack:
        stack.enter_context(ended_by_signals())
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        with _closed_afterwards(nothing), ExitStack() as ends:
            flows: list[_Flow] = []

            def passed_on(target: int) -> int:
                source, end = os.pipe2(os.O_CLOEXEC)
                flows.append(_Flow(source, target))
                stack.callback(flows[-1].close)
                ends.enter_context(_closed_afterwards(end))
                os.fchown(end, *owner)
                os.set_blocking(source, False)
                return end

            stdin = _STDIN if with_stdin and sys.stdin is not None else nothing
            streams = stdin, passed_on(_STDOUT), passed_on(_STDERR)
            process = stack.enter_context(_attended(line, variables, group, streams))
        return _carry(flows, process)


def run_in_terminal(line: Sequence[str], variables: Mapping[str, str], *, group: Cgroup, node_pid: int) -> int:
    """Run a command line in a terminal of the node that is shown in ours; returns its exit code.

    The command in it has to begin with IN_TERMINAL.
    """
    shown = {name: os.environ[name] for name in _TERMINAL_VARIABLES if name in os.environ}
    with ExitStack() as stack:
        stack.enter_context(ended_by_signals())
        try:
            ours, theirs = in_node(node_pid, os.openpty)
        except OSError as error:
            raise EngineError(f"the node has no terminal to give: {error.strerror}") from error
        output = _Flow(ours, _STDOUT)
        stack.callback(output.close)
        with _closed_afterwards(theirs):
            _copy_size(ours)
            process = stack.enter_context(_attended(line, {**variables, **shown}, group, (theirs, theirs, theirs)))
        os.set_blocking(ours, False)
        stack.enter_context(raw_terminal())
        stack.callback(signal.signal, signal.SIGWINCH, signal.getsignal(signal.SIGWINCH))
        signal.signal(signal.SIGWINCH, lambda *_: _copy_size(ours))
        return _carry([output, _Flow(_STDIN, ours)], process)


def _carry(flows: Sequence[_Flow], process: subprocess.Popen[bytes]) -> int:
    """Carry everything until the process has ended; returns its exit code."""
    with _closed_afterwards(os.pidfd_open(process.pid)) as end:
        ended = False
        while not ended:
            open_flows = [flow for flow in flows if not flow.over]
            sources = [flow.source for flow in open_flows if not flow.waiting]
            targets = [flow.target for flow in open_flows if flow.waiting]
            readable, writable, _ = select.select([end, *sources], targets, [])
            ended = end in readable
            for flow in open_flows:
                if flow.target in writable if flow.waiting else flow.source in readable:
                    flow.step()
    for flow in flows:  # what was written before the end; a daemon may be writing still
        for _ in range(_LAST_PIECES):
            if flow.source == _STDIN or not flow.step():
                break
    code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _attended(
    line: Sequence[str], variables: Mapping[str, str], group: Cgroup, streams: tuple[int, int, int]
) -> Iterator[subprocess.Popen[bytes]]:
    """The command, under an attendant that ends it when this context is left, or we die."""
    watched, lifeline = os.pipe2(os.O_CLOEXEC)
    with ExitStack() as stack, _closed_afterwards(watched):
        stdin, stdout, stderr = streams
        process = subprocess.Popen(
            attended(line, group, watched),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=dict(variables),
            pass_fds=(watched,),
            start_new_session=True,
            umask=UMASK,
        )
        stack.callback(_wait_a_little, process)
        stack.callback(os.close, lifeline)
        yield process


def _wait_a_little(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):  # what is frozen dies when thawed, or with its node
        process.wait(_DYING_S)


def _read(source: int) -> bytes | None:
    """What is there; None when there is nothing yet, empty when there never will be."""
    try:
        return os.read(source, _CHUNK_BYTES)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno == errno.EIO:  # of a terminal: nobody has its other end
            return b""
        raise


def _write_all(target: int, data: bytes) -> bool:
    """Write to one of our outputs; whether somebody still reads there."""
    while data:
        try:
            data = data[os.write(target, data) :]
        except BlockingIOError:  # somebody we share it with has made it so
            select.select([], [target], [])
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.EBADF):
                return False
            raise HarnessError(f"what the command writes cannot be passed on: {error.strerror}") from error
    return True


def _copy_size(terminal: int) -> None:
    termios.tcsetwinsize(terminal, termios.tcgetwinsize(_STDOUT))


@contextmanager
def raw_terminal() -> Iterator[None]:
    """What is typed goes to the node's terminal as it is, Ctrl-C and Ctrl-D too."""
    before = termios.tcgetattr(_STDIN)
    tty.setraw(_STDIN, termios.TCSADRAIN)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # its window was closed: there is no terminal any more
            termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end us in good order; one that is ignored (nohup(1)) stays so."""

    def end(number: int, _: FrameType | None) -> NoReturn:
        raise Ended(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _closed_afterwards(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
