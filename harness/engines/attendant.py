"""Beside a command in a node that a person's process asked for: ends the command when that process has died.

A process of its own, in a session of its own, since whoever asked may be killed by a signal that nobody can catch. It
is the command's parent, and exits as the command does. Standard modules only: it starts without any installed package.
"""

import contextlib
import os
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.engines.cgroup import Cgroup
from harness.errors import HarnessError
from harness.procfs import parent_pid, session_id

_CODE = "import sys; sys.path.insert(0, {root!r}); from harness.engines.attendant import main; main()"
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def attended(line: Sequence[str], group: Cgroup, lifeline: int) -> list[str]:
    """The command line of an attendant of ``line``, which ends it when the writing end of ``lifeline`` is closed.

    The descriptor has to be passed on to it. It is to be started in a new session.
    """
    code = _CODE.format(root=str(Path(__file__).parents[2]))
    # Isolated: the environment is the node's, and what it says to another Python is not for this one.
    return [sys.executable, "-ISc", code, str(lifeline), group.path, *line]


def main() -> None:
    """Start the command, and end with it."""
    lifeline, group, *line = sys.argv[1:]
    os.set_inheritable(int(lifeline), False)
    child = os.posix_spawn(line[0], line, os.environ, setsigdef=_IGNORED_BY_PYTHON)
    if not _ends_by_itself(child, int(lifeline)):
        kill_all_of(child, os.getsid(0), Cgroup(group))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _ends_by_itself(child: int, lifeline: int) -> bool:
    ends = select.poll()
    process = os.pidfd_open(child)
    ends.register(process, select.POLLIN)
    ends.register(lifeline, select.POLLIN)
    return any(descriptor == process for descriptor, _ in ends.poll())


def kill_all_of(leader: int, session: int, group: Cgroup) -> None:
    """SIGKILL a process that was started for a node, all in its session, and all descendants of these in the group.

    What has left the session, and whose parent has ended, is a daemon: it stays.
    """
    doomed = _with_descendants({leader, session}, group)
    while True:
        for pid in doomed - {session}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # Once more: one of them may have forked between the look and its end.
        seen = _with_descendants(doomed, group)
        if seen == doomed:
            return
        doomed = seen


def _with_descendants(doomed: set[int], group: Cgroup) -> set[int]:
    while found := {pid for pid in group.processes() if _belongs(pid, doomed)} - doomed:
        doomed = doomed | found
    return doomed


def _belongs(pid: int, doomed: set[int]) -> bool:
    with contextlib.suppress(HarnessError):  # it has ended
        return session_id(pid) in doomed or parent_pid(pid) in doomed
    return False


if __name__ == "__main__":
    main()
