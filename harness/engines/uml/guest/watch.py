"""Tells what the node's kernel says of addresses and packet filters as it happens, and what time it is here."""

import _socket
import os
import select
import struct
import time

from .wire import CHUNK_BYTES, INPUT, OUTPUT, SIZE, Incoming, frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STAMP = struct.Struct("!dI")
"""When something was received, on CLOCK_MONOTONIC of the node, and from which of the protocols asked for."""
CLOCK = struct.Struct("!Id")
"""The number of a question for the time, and the time."""
QUESTION = struct.Struct("!I")
_SO_RCVBUFFORCE = 33
_BUFFER_BYTES = 4 << 20
_PRIO_PROCESS, _FIRST = 0, -20


def watch(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    """Pass on every netlink datagram of the protocols and groups asked for, and answer questions for the time.

    ``protocols`` is a list of protocol, groups and what to send first: what is there already comes as answers to that.
    A protocol that this kernel lacks is passed over.
    """
    os.setpriority(_PRIO_PROCESS, 0, _FIRST)  # of this thread alone: whatever the node does, stamps are not late
    connection, sockets = incoming.connection, {}
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    try:
        for number, (protocol, groups, questions) in enumerate(request["protocols"]):
            if (opened := _open(protocol, groups)) is not None:
                sockets[opened.fileno()] = (number, opened)
                for question in questions:
                    opened.send(bytes.fromhex(question))
                    _pass_on_answer(incoming, number, opened)
                poll.register(opened, select.POLLIN)
        connection.sendall(frame(SIZE))  # everything is watched from here on
        while True:
            if incoming.pending():  # it came with the request
                _tell_time(incoming)
            for descriptor, _ in poll.poll():
                if descriptor in sockets:
                    _pass_on(connection, *sockets[descriptor])
                else:
                    _tell_time(incoming)
    finally:
        for _, opened in sockets.values():
            opened.close()


def _open(protocol: int, groups: int) -> "_socket.socket | None":
    try:
        opened = _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, protocol)
    except OSError:
        return None
    opened.setsockopt(_socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
    opened.bind((0, groups))
    return opened


def _pass_on(connection: _socket.socket, number: int, source: _socket.socket) -> bytes:
    datagram = source.recv(CHUNK_BYTES)
    connection.sendall(frame(OUTPUT, STAMP.pack(time.monotonic(), number) + datagram))
    return datagram


def _pass_on_answer(incoming: Incoming, number: int, source: _socket.socket) -> None:
    """All of an answer: its last message says that it is (NLMSG_DONE), or that there is none (NLMSG_ERROR)."""
    while True:
        datagram = _pass_on(incoming.connection, number, source)
        at = 0
        while at + 16 <= len(datagram):
            length, kind = struct.unpack_from("=IH", datagram, at)
            if kind in (2, 3):
                return
            at += max(16, (length + 3) & ~3)


def _tell_time(incoming: Incoming) -> None:
    for kind, content in incoming.receive():
        if kind == INPUT:
            (number,) = QUESTION.unpack(content)
            incoming.connection.sendall(frame(INPUT, CLOCK.pack(number, time.monotonic())))
