"""Ctrl-C while a scenario runs: the first ends it in good order, a second leaves the rest to the run's keeper.

Either way the session ends as an interrupted one (exit code 2), and says so once.
"""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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
