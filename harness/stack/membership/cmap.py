"""Corosync's map of keys through libcmap (cmap_overview(3)): where others on this node can read what we publish.

Writing a key is no reconfiguration: Corosync keeps it for whoever asks, and does nothing about it.
"""

import ctypes

CS_OK = 1
STANDBY_KEY = "sfha.standby"


class CmapError(Exception):
    """Corosync did not take the value (the number is a cs_error_t)."""


def publish(key: str, value: int, library: str = "libcmap.so.4") -> None:
    """Set a key to a small number (as one byte). Raises CmapError, OSError without the library. May take a moment."""
    lib = ctypes.CDLL(library)
    handle = ctypes.c_uint64(0)
    _check("cmap_initialize", lib.cmap_initialize(ctypes.byref(handle)))
    try:
        _check("cmap_set_uint8", lib.cmap_set_uint8(handle, key.encode(), ctypes.c_uint8(value)))
    finally:
        lib.cmap_finalize(handle)


def _check(call: str, code: int) -> None:
    if code != CS_OK:
        raise CmapError(f"{call}: cs_error {code}")
