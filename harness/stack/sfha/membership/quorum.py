"""Corosync's quorum service through libquorum (quorum_overview(3)), event-driven: nothing is polled."""

import ctypes
from collections.abc import Callable

from .core import Report

CS_OK = 1
CS_TRACK_CURRENT, CS_TRACK_CHANGES = 0x01, 0x02
CS_DISPATCH_ALL = 2

_NOTIFY = ctypes.CFUNCTYPE(
    None,
    ctypes.c_uint64,  # handle
    ctypes.c_uint32,  # quorate
    ctypes.c_uint64,  # ring sequence
    ctypes.c_uint32,  # entries of the view
    ctypes.POINTER(ctypes.c_uint32),
)


class _Callbacks(ctypes.Structure):
    _fields_ = (("quorum_notify_fn", _NOTIFY),)


class QuorumError(Exception):
    """Corosync cannot be reached, or the connection to it broke (``code`` is a cs_error_t)."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__(f"{call}: cs_error {code}")
        self.code = code


class QuorumConnection:
    """A connection to the local Corosync; each change of membership or quorum is handed to ``on_report``."""

    def __init__(self, on_report: Callable[[Report], None], library: str = "libquorum.so.5") -> None:
        """Raises QuorumError when Corosync does not run (yet), OSError without the library."""
        self._lib = ctypes.CDLL(library)
        self._on_report = on_report
        self._callbacks = _Callbacks(_NOTIFY(self._notified))
        self._handle = ctypes.c_uint64(0)
        kind = ctypes.c_uint32(0)
        self._check(
            "quorum_initialize",
            self._lib.quorum_initialize(ctypes.byref(self._handle), ctypes.byref(self._callbacks), ctypes.byref(kind)),
        )
        try:
            flags = ctypes.c_uint(CS_TRACK_CURRENT | CS_TRACK_CHANGES)
            self._check("quorum_trackstart", self._lib.quorum_trackstart(self._handle, flags))
            descriptor = ctypes.c_int(-1)
            self._check("quorum_fd_get", self._lib.quorum_fd_get(self._handle, ctypes.byref(descriptor)))
        except QuorumError:
            self.close()
            raise
        self._descriptor = descriptor.value

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._descriptor

    def dispatch(self) -> None:
        """Hand on what Corosync has reported. Raises QuorumError when the connection is gone."""
        self._check("quorum_dispatch", self._lib.quorum_dispatch(self._handle, CS_DISPATCH_ALL))

    def close(self) -> None:
        """Drop the connection."""
        self._lib.quorum_finalize(self._handle)

    def _notified(
        self, _handle: int, quorate: int, ring: int, count: int, view: "ctypes._Pointer[ctypes.c_uint32]"
    ) -> None:
        self._on_report(Report(bool(quorate), int(ring), frozenset(view[index] for index in range(count))))

    @staticmethod
    def _check(call: str, code: int) -> None:
        if code != CS_OK:
            raise QuorumError(call, code)
