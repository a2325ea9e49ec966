"""A program for nodes: prints what the node's own Corosync says of quorum and members, whenever that changes.

It is given to the node's Python as text, so it stands alone. One JSON document a line: ``at_s`` (CLOCK_MONOTONIC in
seconds, which all nodes of a host share) with ``quorate``, ``members`` (node ids) and ``ring`` ("1.2c": its
representative and its number in hexadecimal, as Corosync writes it), or with ``lost`` when Corosync has gone. It tries
again until Corosync is there (it may be installed while this runs), and ends when its standard input does.

It talks to libquorum itself (quorum_model_initialize(3)): ``corosync-quorumtool -m`` waits for an event of the vote
service after each one of the quorum service, so where they do not come in pairs it keeps the last change to itself.
"""

import contextlib
import ctypes
import json
import os
import select
import sys
import time

CS_OK = 1
TRACK_CURRENT_AND_CHANGES = 0x03
DISPATCH_ALL = 2
MODEL_V1 = 1
TRY_EVERY_S = 0.02


class RingId(ctypes.Structure):
    """struct quorum_ring_id."""

    _fields_ = (("representative", ctypes.c_uint32), ("number", ctypes.c_uint64))


NOTIFY = ctypes.CFUNCTYPE(
    None,
    ctypes.c_uint64,  # handle
    ctypes.c_uint32,  # quorate
    RingId,
    ctypes.c_uint32,  # members
    ctypes.POINTER(ctypes.c_uint32),
)


class ModelV1(ctypes.Structure):
    """struct quorum_model_v1_data_t; the callback for node lists stays unset."""

    _fields_ = (("model", ctypes.c_int), ("notify", NOTIFY), ("node_list_notify", ctypes.c_void_p))


def say(**fields: object) -> None:
    """Print a line and have it gone at once."""
    sys.stdout.write(json.dumps({"at_s": time.monotonic(), **fields}) + "\n")
    sys.stdout.flush()


def notified(_handle: int, quorate: int, ring: RingId, count: int, members: "ctypes._Pointer[ctypes.c_uint32]") -> None:
    """Called by the library for each change."""
    listed = sorted(members[index] for index in range(count))
    say(quorate=bool(quorate), members=listed, ring=f"{ring.representative}.{ring.number:x}")


def watch_once(library: ctypes.CDLL, callbacks: ModelV1) -> bool:
    """Watch until Corosync goes (True), or until standard input ends (False). True at once when it is not there."""
    handle, kind = ctypes.c_uint64(0), ctypes.c_uint32(0)
    model = ctypes.c_int(MODEL_V1)
    known = library.quorum_model_initialize(
        ctypes.byref(handle), model, ctypes.byref(callbacks), ctypes.byref(kind), None
    )
    if known != CS_OK:
        return True
    descriptor = ctypes.c_int(-1)
    alive = (
        library.quorum_trackstart(handle, ctypes.c_uint(TRACK_CURRENT_AND_CHANGES)) == CS_OK
        and library.quorum_fd_get(handle, ctypes.byref(descriptor)) == CS_OK
    )
    while alive:
        ready, _, _ = select.select([descriptor.value, 0], [], [])
        if 0 in ready:
            return False
        alive = library.quorum_dispatch(handle, DISPATCH_ALL) == CS_OK
    library.quorum_finalize(handle)
    say(lost=True)
    return True


def installed() -> ctypes.CDLL | None:
    """Corosync's library, if the node has it."""
    try:
        return ctypes.CDLL("libquorum.so.5")
    except OSError:
        return None


def main() -> None:
    """Watch until standard input ends."""
    with contextlib.suppress(OSError):
        os.nice(-20)  # a busy node must not make the time stamps late
    library = installed()
    callbacks = ModelV1(MODEL_V1, NOTIFY(notified), None)
    while library is None or watch_once(library, callbacks):
        if select.select([0], [], [], TRY_EVERY_S)[0]:
            return
        library = library or installed()


if __name__ == "__main__":
    main()
