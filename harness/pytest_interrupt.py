"""Ctrl-C while a scenario runs: the first ends it in good order, a second leaves the rest to the run's keeper.

Either way the session ends as an interrupted one (exit code 2), and says so once. A worker of pytest-xdist under which
pytest was killed ends in good order as well.
"""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pluggy
import pytest

EXIT_INTERRUPTED = 2
_LAST_WORDS = b"\nharness: interrupted again: ended without a report; what the clusters left is being removed\n"


@contextmanager
def interruptible(*, last_one_ends: bool) -> Iterator[None]:
    """Run a scenario's event loop in it.

    An event loop that was left at once cannot close what is still open; each such thing would complain when it is
    collected, and pytest would make failures of that. With ``last_one_ends``, a further Ctrl-C, when pytest is at work
    already on ending the session, ends the process at once.
    """
    try:
        yield
    except KeyboardInterrupt:
        sys.unraisablehook = lambda _: None
        logging.getLogger("asyncio").disabled = True
        if last_one_ends:
            signal.signal(signal.SIGINT, _end)
        raise


def _end(*_: object) -> None:
    os.write(2, _LAST_WORDS)
    os._exit(EXIT_INTERRUPTED)


class LeftAlone:
    """In a worker of pytest-xdist: says in a line that pytest was killed, which xdist can tell nobody any more.

    It would try, and pluggy would say at length that a plugin failed.
    """

    def __init__(self, worker: str) -> None:
        self._worker, self._parent = worker, os.getppid()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Around all that is done at the end of a worker's session."""
        if os.getppid() == self._parent:
            return (yield)
        sys.stderr.write(f"harness: {self._worker}: pytest was killed; what was under way here has been ended\n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pluggy.PluggyTeardownRaisedWarning)
            try:
                return (yield)
            except OSError:
                return None
