"""Plans as data: what has to be so on which server, in which order. Pure.

Every action says how something has to be, not what is to be done: called again, it finds that it is so. Whoever was
killed at any point calls all of it again.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Directory:
    """There is a folder, with this mode and owner."""

    path: str
    mode: int = 0o755
    owner: str = "root:root"

    def said(self) -> str:
        """In a few words."""
        return f"folder {self.path} ({self.mode:04o}, {self.owner})"


@dataclass(frozen=True, slots=True)
class File:
    """There is a file with exactly this content; what it replaces is never seen half written."""

    path: str
    content: str
    mode: int = 0o644
    owner: str = "root:root"
    once: bool = False
    """Whoever reads it writes it as well, as Sentinel does: what is there already keeps its content."""

    def said(self) -> str:
        """In a few words; the content, which may hold secrets, as its length alone."""
        how = "once, then its program's own" if self.once else f"{len(self.content.encode())} bytes"
        return f"file {self.path} ({self.mode:04o}, {self.owner}, {how})"


@dataclass(frozen=True, slots=True)
class Absent:
    """There is nothing at this path, neither a file nor a folder with all that is in it.

    Where something is mounted in it, it is left alone: that may be anybody's.
    """

    path: str

    def said(self) -> str:
        """In a few words."""
        return f"nothing at {self.path}"


@dataclass(frozen=True, slots=True)
class Carried:
    """There is a copy of a file of the installer's, too large to be a part of a script: it goes by a way of its own.

    Its folder is there before its stage begins.
    """

    path: str
    source: str
    """Where the installer has it."""
    sha256: str
    mode: int = 0o644

    def said(self) -> str:
        """In a few words."""
        return f"copy {self.path} ({self.mode:04o}, of the installer's {self.source}, SHA-256 {self.sha256[:12]}...)"


@dataclass(frozen=True, slots=True)
class Packages:
    """These packages of the distribution are installed."""

    names: tuple[str, ...]

    def said(self) -> str:
        """In a few words."""
        return f"packages {' '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of systemd is enabled, and runs with what these files say now (of a folder: all files in it).

    Not restarted *after a file was written*: whoever is killed between the two would never restart it.
    """

    name: str
    files: tuple[str, ...] = ()

    def said(self) -> str:
        """In a few words."""
        return f"unit {self.name} runs" + (f" with {' '.join(self.files)}" if self.files else "")


@dataclass(frozen=True, slots=True)
class Command:
    """A shell command was done, which is so when ``done_when`` succeeds.

    What it has to keep to itself comes in by ``stdin``: everybody on a server can read command lines.
    """

    command: str
    done_when: str
    stdin: str = ""
    about: str = ""
    """What people are told instead of a command that is long."""

    def said(self) -> str:
        """In a few words."""
        return self.about or f"command {self.command}"


@dataclass(frozen=True, slots=True)
class Check:
    """A shell command succeeds, within so many seconds."""

    command: str
    within_s: float
    about: str = ""
    """What people are told instead of a command that is long."""

    def said(self) -> str:
        """In a few words."""
        return f"check {self.about or self.command} (within {self.within_s:g} s)"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a shell command says is told to people."""

    command: str
    about: str = ""
    """What people are told instead of a command that is long."""

    def said(self) -> str:
        """In a few words."""
        return f"tell {self.about or self.command}"


Action = Directory | File | Absent | Carried | Packages | Unit | Command | Check | Ask


class Undecided(Exception):
    """What servers say does not allow to go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What follows from what servers said, and why."""

    why: str
    stages: "tuple[Stage, ...]" = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """What may be done on several servers at once; on each in this order. The next stage waits for all of it."""

    name: str
    actions: Mapping[str, tuple[Action, ...]]
    """By the server's name."""
    decide: Callable[[Mapping[str, tuple[str, ...] | None]], Decided] | None = None
    """Who asks (Ask) lets the answers decide what comes next: lines by server, None of one that gave no answer.
    Raises Undecided."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a module."""

    module: str
    stages: tuple[Stage, ...]
    needs: tuple[Stage, ...] = ()
    """What is asked before anything is changed: where it is absent (see needs.py) none of the stages is begun."""

    @property
    def servers(self) -> tuple[str, ...]:
        """Everybody it does something on, each once, in the order of the plan."""
        return tuple(dict.fromkeys(server for stage in self.stages for server in stage.actions))


def told(plan: Plan) -> Iterator[str]:
    """The lines that people are shown instead of its being done."""
    for stage in plan.needs:
        yield f"{plan.module}: not begun without {stage.name} on {', '.join(stage.actions)}"
    for stage in plan.stages:
        yield f"{plan.module}: {stage.name}"
        for server, actions in stage.actions.items():
            for action in actions:
                yield f"  {server}: {action.said()}"
        if stage.decide is not None:
            yield "  what follows is decided by what they say"
