"""The node's time of day, and how quickly its clocks run."""

import struct
import time

from .system import check, libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .wire import Incoming

_TIMEX = struct.Struct("=I4xqqqqi4xqqqqqqqqi4xqqqqqi44x")
"""struct timex (adjtimex(2)); _FREQUENCY and _TICK are places in it."""
_FREQUENCY, _TICK = 2, 11
_SET_FREQUENCY, _SET_TICK = 0x2, 0x4000
_TICK_US, _PPB_OF_TICK = 10_000, 100_000
"""How long a tick is (USER_HZ is 100), and how much a clock runs quicker when its ticks count for 1 us more."""


def set_clock(_: "Incoming", request: "dict[str, Any]") -> "dict[str, Any]":
    """Set the time of day."""
    time.clock_settime_ns(time.CLOCK_REALTIME, request["unix_ns"])
    return {}


def tell_clock(_: "Incoming", __: "dict[str, Any]") -> "dict[str, Any]":
    """What time it is."""
    return {"unix_ns": time.time_ns()}


def pace(_: "Incoming", request: "dict[str, Any]") -> "dict[str, Any]":
    """How much quicker than it should the clocks run, in billionths; where it is said, from now on so much."""
    fields = [0] * 21
    if (ppb := request["ppb"]) is not None:
        fields[0] = _SET_TICK | _SET_FREQUENCY
        fields[_TICK] = _TICK_US + round(ppb / _PPB_OF_TICK)
        fields[_FREQUENCY] = ((ppb - (fields[_TICK] - _TICK_US) * _PPB_OF_TICK) << 16) // 1000
    buffer = bytearray(_TIMEX.pack(*fields))
    import ctypes

    check(libc.adjtimex((ctypes.c_char * len(buffer)).from_buffer(buffer)), "change how quickly the clock runs")
    found = _TIMEX.unpack(buffer)
    return {"ppb": (found[_TICK] - _TICK_US) * _PPB_OF_TICK + (found[_FREQUENCY] * 1000 >> 16)}
