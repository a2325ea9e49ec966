"""Waiting for what another thread does."""

import time
from collections.abc import Callable

WITHIN_S = 15.0
EVERY_S = 0.005


def eventually(condition: Callable[[], bool], within_s: float = WITHIN_S, every_s: float = EVERY_S) -> bool:
    """Whether it comes true in time; asked again and again, less often where asking is work for others."""
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        if condition():
            return True
        time.sleep(every_s)
    return False
