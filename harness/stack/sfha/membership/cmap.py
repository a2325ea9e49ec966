"""Corosync's map of keys through libcmap (cmap_overview(3)): where others on this node can read what we publish.

Writing a key is no reconfiguration: Corosync keeps it for whoever asks, and does nothing about it.
"""

import ctypes

CS_OK = 1
STANDBY_KEY = "sfha.standby"
MOST_NODES = 256


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


def cluster_and_nodes(library: str = "libcmap.so.4") -> tuple[str, int] | None:
    """The name of the running cluster and how many nodes its list has; None where nothing answers."""
    try:
        lib = ctypes.CDLL(library)
    except OSError:
        return None
    handle = ctypes.c_uint64(0)
    if lib.cmap_initialize(ctypes.byref(handle)) != CS_OK:
        return None
    try:
        nodes = 0
        while nodes < MOST_NODES and _text(lib, handle, f"nodelist.node.{nodes}.ring0_addr") is not None:
            nodes += 1
        return _text(lib, handle, "totem.cluster_name") or "", nodes
    finally:
        lib.cmap_finalize(handle)


def _text(lib: ctypes.CDLL, handle: ctypes.c_uint64, key: str) -> str | None:
    value = ctypes.c_void_p()
    if lib.cmap_get_string(handle, key.encode(), ctypes.byref(value)) != CS_OK or not value.value:
        return None
    try:
        return ctypes.string_at(value.value).decode(errors="replace")
    finally:
        ctypes.CDLL(None).free(value)


def _check(call: str, code: int) -> None:
    if code != CS_OK:
        raise CmapError(f"{call}: cs_error {code}")
