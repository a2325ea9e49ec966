"""A node with power, the same for every engine: its process 1, its control group, and commands inside it."""

import asyncio
import contextlib
import os
import re
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.clock import now_s
from harness.engines.attached import IN_TERMINAL, is_terminal, run_in_terminal, run_with_files
from harness.engines.cgroup import CLIENTS, GONE, Cgroup
from harness.engines.command import run_command
from harness.engines.engine import Finished
from harness.engines.enter import UMASK, entering, root_of
from harness.engines.oci import environment
from harness.errors import DeadlinePassed, EngineError, HarnessError, UsageError
from harness.rundir import ProcessName
from harness.wait import until

LAUNCHERS = "launchers"
RESERVED = (LAUNCHERS, CLIENTS)
LOG_LIMIT_BYTES = 16 << 20
_REPEAT_S = 0.25
_NODE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def check_name(name: str) -> None:
    """Raise UsageError for what cannot be the name of a node (and of its control group)."""
    if not _NODE_NAME.fullmatch(name) or name in RESERVED:
        raise UsageError(f"node name {name!r}: use up to 63 letters, digits and '-', but not {' or '.join(RESERVED)}")


@dataclass(frozen=True, slots=True)
class Powered:
    """A node that runs."""

    node: str
    pid: int
    """The host's process id of its process 1."""
    group: Cgroup
    """Everything of the node is in it or below."""
    environment: Mapping[str, str]

    async def exec(self, command: Sequence[str], *, stdin: bytes, timeout_s: float) -> Finished:
        """Run a command as the node's root, inside its cgroup; see harness.engines.engine."""
        line, variables = self._command_line(command)
        done = await run_command(
            line,
            variables,
            stdin=stdin,
            timeout_s=timeout_s,
            group=self.group,
            what=f"{self.node}: {command[0]}",
            owner=root_of(self.pid),
        )
        self._check_power(done.exit_code, command)
        return done

    def attach(self, command: Sequence[str], *, with_stdin: bool) -> int:
        """Run a command with the streams of this process; see harness.engines.engine."""
        if with_stdin and is_terminal():
            line, variables = self._command_line([*IN_TERMINAL, *command])
            code = run_in_terminal(line, variables, group=self.group, node_pid=self.pid)
        else:
            line, variables = self._command_line(command)
            owner = root_of(self.pid)
            code = run_with_files(line, variables, group=self.group, owner=owner, with_stdin=with_stdin)
        self._check_power(code, command)
        return code

    def _check_power(self, exit_code: int, command: Sequence[str]) -> None:
        if exit_code == GONE and not _lives(self.pid):
            raise EngineError(f"node {self.node} lost its power before {command[0]} could run")

    async def spawn(self, command: Sequence[str]) -> Process:
        """Start a command as the node's root, inside its cgroup, with pipes to all streams."""
        # Our child is nsenter, the command its child: killing the one must end the other.
        line, variables = self._command_line(["setpriv", "--pdeathsig", "KILL", "--", *command])
        return await asyncio.create_subprocess_exec(
            *line, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=variables, start_new_session=True, umask=UMASK
        )

    def _command_line(self, command: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        if not command:
            raise UsageError(f"{self.node}: no command given")
        if self.group.freezing():
            raise EngineError(f"node {self.node} is paused: resume it before running {command[0]}")
        # Not the engine's own exec: joining the groups first has the same effect (frozen and killed with the
        # node) in a fifth of the time, and the exit of the command is the exit of our child.
        return [*self._innermost().joining(), *entering(self.pid), "--", *command], environment(self.environment)

    def _innermost(self) -> Cgroup:
        """The group that process 1 is in: version 2 takes no processes into a group that has others below."""
        try:
            return Cgroup.of(self.pid)
        except OSError:
            raise EngineError(f"node {self.node} does not run") from None

    async def terminate(self, timeout_s: float, pid_now: Callable[[], int | None]) -> None:
        """SIGTERM to process 1 until it ends or the time is over; ``pid_now`` tells the node's process 1."""
        # Again and again: a process 1 that has not set up its signals yet is not even killed by one.
        deadline_s = now_s() + timeout_s
        while (left_s := deadline_s - now_s()) > 0 and pid_now() == self.pid:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                os.kill(self.pid, _halt_signal(self.pid))
            with contextlib.suppress(DeadlinePassed):
                await until(
                    lambda: pid_now() != self.pid,
                    within_s=min(left_s, _REPEAT_S),
                    what=f"{self.node} is off",
                    every_s=0.002,
                )


def _halt_signal(pid: int) -> int:
    """What makes process 1 shut down: systemd(1) takes TERM for a request to execute itself again."""
    is_systemd = Path(f"/proc/{pid}/comm").read_text().strip() == "systemd"
    return signal.SIGRTMIN + 3 if is_systemd else signal.SIGTERM


def _lives(pid: int) -> bool:
    try:
        return ProcessName.of(pid).lives()
    except HarnessError:
        return False
