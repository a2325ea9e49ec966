"""What is undone in a node. One that has no power any more needs nothing."""

import base64
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.engines.cgroup import Cgroup
from harness.engines.enter import unmount
from harness.engines.inside import COMMAND_S, Inside, inside
from harness.engines.limits import Resource, lift
from harness.engines.noted import noted_process
from harness.engines.uml.mapped_disk import MappedDisk
from harness.engines.uml.wall_clock import WallClock
from harness.errors import EngineError, HealFailed
from harness.rundir import RunDirectory

_TOLD_WITHIN_S, _ASK_EVERY_S = 20.0, 0.5
_WITH_WORD_S = 60.0
"""A node that joins waits for the others."""
_UNMOUNT = 'while grep -q "^$0 $1 " /proc/mounts; do umount -l "$1"; done'


@dataclass(frozen=True, slots=True)
class ResumeNode:
    """Thaw a frozen node."""

    node: str

    def carry_out(self, run: RunDirectory) -> None:
        """Of a node that is not frozen, nothing."""
        group_of(run, self.node).thaw()


@dataclass(frozen=True, slots=True)
class ContinueProcess:
    """SIGCONT to a stopped process, unless another has its id by now."""

    node: str
    pid: int
    start_ticks: int

    def carry_out(self, run: RunDirectory) -> None:
        """A process that has ended needs none."""
        with _unless_without_power(run, self.node) as there:
            if there is not None:
                there.send(self.pid, self.start_ticks, signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class LimitFiles:
    """Let a process open this many files again."""

    node: str
    pid: int
    start_ticks: int
    files: int

    def carry_out(self, run: RunDirectory) -> None:
        """The hard limit was never touched."""
        with _unless_without_power(run, self.node) as there:
            if there is not None:
                there.limit_files(self.pid, self.start_ticks, self.files)


@dataclass(frozen=True, slots=True)
class EndMarked:
    """SIGKILL to what runs in a node with this word on its command line: helpers of a fault, started after this
    was written down."""

    node: str
    mark: str

    def carry_out(self, run: RunDirectory) -> None:
        """All of them."""
        with _unless_without_power(run, self.node) as there:
            if there is None:
                return
            for process in there.processes():
                if self.mark in process.words:
                    there.send(process.pid, process.start_ticks, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class LiftLimit:
    """Give a node all of a resource again."""

    node: str
    resource: Resource

    def carry_out(self, run: RunDirectory) -> None:
        """Of a node that was booted again meanwhile, nothing: its control group is a new one."""
        lift(group_of(run, self.node), self.resource)


@dataclass(frozen=True, slots=True)
class RestoreFile:
    """Put back what was in a file of a node, in place; without content, remove the file."""

    node: str
    path: str
    content: str | None
    """In base64: a journal is text."""

    @classmethod
    def of(cls, node: str, path: str, content: bytes | None) -> "RestoreFile":
        """For a file with this content, or for one that is not there."""
        return cls(node, path, None if content is None else base64.b64encode(content).decode())

    def carry_out(self, run: RunDirectory) -> None:
        """In place, since some such files are mounts of their own."""
        with _unless_without_power(run, self.node) as there:
            if there is None:
                return
            if self.content is None:
                there.run(("rm", "-f", self.path))
            else:
                there.overwrite(self.path, base64.b64decode(self.content))


@dataclass(frozen=True, slots=True)
class RestoreBytes:
    """Put back bytes of a file of a node, in place, where they are still what a fault has made of them."""

    node: str
    path: str
    at: int
    were: str
    """In hexadecimal, as what follows."""
    became: str

    def carry_out(self, run: RunDirectory) -> None:
        """A file that has been written anew meanwhile is left alone, and one that has gone."""
        with _unless_without_power(run, self.node) as there:
            if there is None:
                return
            were, became = bytes.fromhex(self.were), bytes.fromhex(self.became)
            content = there.read(self.path)
            if content is not None and content[self.at : self.at + len(became)] == became:
                there.overwrite(self.path, were, self.at)


@dataclass(frozen=True, slots=True)
class SetClock:
    """Have the clock of a node with a kernel of its own run as quickly as ours, and set it right."""

    node: str

    def carry_out(self, run: RunDirectory) -> None:
        """A node that was booted again meanwhile took its time from this host."""
        with _unless_without_power(run, self.node) as there:
            if there is not None:
                WallClock(there.pid).set_right()


@dataclass(frozen=True, slots=True)
class QuickDisk:
    """Have the disk of a node with a kernel of its own be as quick as it is."""

    node: str

    def carry_out(self, run: RunDirectory) -> None:
        """That of a node that was booted again meanwhile is."""
        with _unless_without_power(run, self.node) as there:
            if there is not None:
                MappedDisk(there.pid).slow(0, 0)


@dataclass(frozen=True, slots=True)
class GoodSectors:
    """Have what lies where a file was on such a disk be readable and writable again."""

    node: str
    path: str

    def carry_out(self, run: RunDirectory) -> None:
        """Whether the file is still there or not."""
        with _unless_without_power(run, self.node) as there:
            if there is not None:
                MappedDisk(there.pid).good(self.path)


@dataclass(frozen=True, slots=True)
class RunInNode:
    """A command as the node's root; it must end with exit code 0, also the second time."""

    node: str
    command: tuple[str, ...]
    within_s: float = COMMAND_S

    def carry_out(self, run: RunDirectory) -> None:
        """A node without power needs none."""
        with _unless_without_power(run, self.node) as there:
            if there is not None:
                there.run(self.command, self.within_s)


@dataclass(frozen=True, slots=True)
class RunInNodeTold:
    """The same with one word more: the last that another node says when it is asked, such as a token for one use."""

    node: str
    command: tuple[str, ...]
    asks: tuple[str, ...]
    """What is asked of the others, one after the other, until one of them can tell."""
    others: tuple[str, ...]
    unless: tuple[str, ...]
    """While this ends with exit code 0 there is nothing to do, and nobody is asked."""

    def carry_out(self, run: RunDirectory) -> None:
        """Where it does not work yet, again for a while: the others may just be finding each other."""
        until_s = time.monotonic() + _TOLD_WITHIN_S
        while True:
            try:
                with _unless_without_power(run, self.node) as there:
                    if there is not None and not self._is_done(there):
                        there.run((*self.command, self._word(run)), _WITH_WORD_S)
                return
            except HealFailed:
                if time.monotonic() > until_s:
                    raise
            time.sleep(_ASK_EVERY_S)

    def _is_done(self, there: Inside) -> bool:
        try:
            there.run(self.unless)
        except EngineError:
            return False
        return True

    def _word(self, run: RunDirectory) -> str:
        reasons = []
        for other in self.others:
            try:
                there = None if group_of(run, other).freezing() else inside(run, other)
                if there is not None and (words := there.run(self.asks).split()):
                    return words[-1]
                reasons.append(f"{other} cannot be asked")
            except (EngineError, OSError, subprocess.TimeoutExpired) as error:
                reasons.append(f"{other}: {error}")
        raise EngineError(f"nobody tells the word that it takes: {'; '.join(reasons)}")


@dataclass(frozen=True, slots=True)
class Unmount:
    """Take off what a fault mounted on a path of a node."""

    node: str
    path: str
    source: str
    """As which it was mounted: nothing else is taken off."""

    def carry_out(self, run: RunDirectory) -> None:
        """At once, also from under those who use it."""
        with _unless_without_power(run, self.node) as there:
            if there is not None and there.own_kernel:
                there.run(("sh", "-c", _UNMOUNT, self.source, self.path))
            elif there is not None:
                unmount(there.pid, self.path, self.source)


def group_of(run: RunDirectory, node: str) -> Cgroup:
    """The control group of everything in a node."""
    return Cgroup(f"{run.cgroup}/{node}")


@contextmanager
def _unless_without_power(run: RunDirectory, node: str) -> Iterator[Inside | None]:
    """The inside of a node, None when it has no power; what fails because it has just lost that is no failure."""
    try:
        yield inside(run, node)
    except (EngineError, OSError, subprocess.TimeoutExpired) as error:
        if noted_process(run.node(node)) is not None:
            raise HealFailed(f"{node}: {error}") from error
