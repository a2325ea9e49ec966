"""Reading what is long in a process of its own.

A thread is not enough there: the YAML reader is one call into C, which keeps the interpreter, and so the lease's loop,
from everything until it is done; a millisecond for each kilobyte.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import TypeVar, cast

THREAD_IS_ENOUGH_BYTES = 4096
WITHIN_S = 30.0
NICENESS = 0

Result = TypeVar("Result")


def read_apart(size_bytes: int, work: Callable[..., Result], *arguments: object) -> Result:
    """What ``work``, a function of a module, makes of its arguments; blocks, so it is for threads.

    Raises what it raises, and OSError where the process could not tell in time.
    """
    if size_bytes <= THREAD_IS_ENOUGH_BYTES:
        return work(*arguments)
    program = f"from {__name__} import main; main()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=pickle.dumps((work, arguments)),
            capture_output=True,
            check=False,
            timeout=WITHIN_S,
            env=environment,
        )
        outcome = pickle.loads(done.stdout)
    except (subprocess.TimeoutExpired, pickle.UnpicklingError, EOFError) as error:
        raise OSError(f"a configuration of {size_bytes} bytes could not be read: {error}") from error
    if isinstance(outcome, BaseException):
        raise outcome
    return cast(Result, outcome)


def main() -> None:
    """The other process: what it is asked comes by its standard input, what it found goes to its standard output."""
    # As urgent as anything else on this machine; the daemon, which asks, is more so.
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    work, arguments = pickle.load(sys.stdin.buffer)
    try:
        outcome = work(*arguments)
    except Exception as error:
        outcome = error
    pickle.dump(outcome, sys.stdout.buffer)
