"""Corosync's map of keys through libcmap (cmap_overview(3)): where others on this node can read what we publish.

Writing a key is no reconfiguration: Corosync keeps it for whoever asks, and does nothing about it.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from .nodelist import Listed, Nodelist

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
    with _connected(library) as map_:
        return None if map_ is None else (map_.string("totem.cluster_name") or "", len(list(_nodes(map_))))


def running_nodelist(library: str = "libcmap.so.4") -> Nodelist | None:
    """The list that the running Corosync goes by; None where nothing answers. A Corosync that hangs lets this hang."""
    with _connected(library) as map_:
        if map_ is None:
            return None
        nodes = frozenset(_nodes(map_))
        two_node = map_.number("quorum.two_node", ctypes.c_uint8(0)) == 1
        half_read = map_.number("config.reload_status", ctypes.c_int32(CS_OK)) != CS_OK
        return Nodelist(nodes, two_node, half_read)


Number = ctypes.c_uint8 | ctypes.c_int32 | ctypes.c_uint32
_GETS: dict[type[Number], str] = {
    ctypes.c_uint8: "cmap_get_uint8",
    ctypes.c_int32: "cmap_get_int32",
    ctypes.c_uint32: "cmap_get_uint32",
}


class _Map:
    """An open connection."""

    def __init__(self, lib: ctypes.CDLL, handle: ctypes.c_uint64) -> None:
        self._lib, self._handle = lib, handle

    def string(self, key: str) -> str | None:
        value = ctypes.c_void_p()
        found = self._lib.cmap_get_string(self._handle, key.encode(), ctypes.byref(value))
        if found != CS_OK or not value.value:
            return None
        try:
            return ctypes.string_at(value.value).decode(errors="replace")
        finally:
            ctypes.CDLL(None).free(value)

    def number(self, key: str, usual: Number) -> int:
        """A number of the type of ``usual``, which it is where there is no such key."""
        getattr(self._lib, _GETS[type(usual)])(self._handle, key.encode(), ctypes.byref(usual))
        return int(usual.value)


@contextmanager
def _connected(library: str) -> Iterator[_Map | None]:
    try:
        lib = ctypes.CDLL(library)
    except OSError:
        yield None
        return
    handle = ctypes.c_uint64(0)
    if lib.cmap_initialize(ctypes.byref(handle)) != CS_OK:
        yield None
        return
    try:
        yield _Map(lib, handle)
    finally:
        lib.cmap_finalize(handle)


def _nodes(map_: _Map) -> Iterator[Listed]:
    for place in range(MOST_NODES):
        key = f"nodelist.node.{place}."
        address = map_.string(key + "ring0_addr")
        if address is None:
            return
        node_id = map_.number(key + "nodeid", ctypes.c_uint32(0))
        yield Listed(node_id, address, map_.number(key + "quorum_votes", ctypes.c_uint32(1)))


def _check(call: str, code: int) -> None:
    if code != CS_OK:
        raise CmapError(f"{call}: cs_error {code}")
