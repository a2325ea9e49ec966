"""How benchmarks without a cluster wait for their programs."""

import time
from collections.abc import Callable

from harness.errors import HarnessError


def until(holds: Callable[[], bool], what: str, *, within_s: float, every_s: float) -> None:
    """Returns once it holds. Raises HarnessError, naming ``what``, when it does not in time."""
    deadline_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline_s:
            raise HarnessError(f"{what}: not within {within_s:g} s")
        time.sleep(every_s)
