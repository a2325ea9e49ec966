"""The one run clock.

CLOCK_MONOTONIC is shared by every process of a host, in whichever namespace it
runs (time namespaces, which shift it, are never used for nodes), so a time taken
by an observer, by a client and by a node's log can be compared without any
synchronisation.
"""

import time


def now_s() -> float:
    """Seconds of CLOCK_MONOTONIC: comparable between processes, meaningless between boots."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)
