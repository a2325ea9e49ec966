"""Several ways to the same thing, of which the one that worked last is taken first."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

Result = TypeVar("Result")


class Nowhere(OSError):
    """None of the ways led anywhere; the message says why the last one did not."""


class Places:
    """HOST:PORT of each. A way that is dead costs one caller its time-out, and the next ones nothing."""

    def __init__(self, places: Sequence[str]) -> None:
        self._order = list(places)
        self._lock = threading.Lock()

    def first_of(self, attempt: Callable[[str, int], Result], failures: tuple[type[Exception], ...]) -> Result:
        """What the first attempt gives that succeeds. Raises Nowhere."""
        why = "there is no place to ask"
        for place in list(self._order):
            host, _, port = place.rpartition(":")
            try:
                result = attempt(host.strip("[]"), int(port))
            except failures as error:
                why = f"{place}: {str(error) or type(error).__name__}"
                continue
            with self._lock:
                self._order.sort(key=lambda one: one != place)  # stable: the others stay in their order
            return result
        raise Nowhere(why)
