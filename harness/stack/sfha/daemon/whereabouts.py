"""Where a thread is just now: in which lines of ours, and what it waits for in the kernel."""

import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType

DEEPEST = 4
"""So many calls of the thread that is asked for; of others, the innermost one."""
TASKS = Path("/proc/self/task")
NOT_WAITING = frozenset({"", "0"})


class Whereabouts:
    """Of the thread that made this, and of the others beside it."""

    def __init__(self) -> None:
        self._thread, self._native = threading.get_ident(), threading.get_native_id()

    def __call__(self) -> str:
        """The calls, innermost first; the function of the kernel it waits in, where it waits and the kernel tells.

        Asked by another thread. Whoever holds the interpreter holds up the one that asks as well, so what the others
        are doing is told, too: a program being started, for example.
        """
        frames = sys._current_frames()
        told = " < ".join(_calls(frames.pop(self._thread, None), DEEPEST)) or "?"
        frames.pop(threading.get_ident(), None)
        waits_in = _waits_in(self._native)
        if waits_in:
            told += f", in the kernel {waits_in}"
        others = sorted({call for frame in frames.values() for call in _calls(frame, 1)})
        return f"{told}; beside it {', '.join(others)}" if others else told


def _calls(frame: FrameType | None, most: int) -> list[str]:
    found: list[str] = []
    while frame is not None and len(found) < most:
        code = frame.f_code
        found.append(f"{Path(code.co_filename).name}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back
    return found


def _waits_in(native: int) -> str:
    """proc_pid_wchan(5)."""
    with suppress(OSError):
        waits_in = (TASKS / str(native) / "wchan").read_text()
        return "" if waits_in in NOT_WAITING else waits_in
    return ""
