"""Sends frames from the node and receives datagrams in it, for whoever wants to know what passes its cable."""

import _socket
import select

from .wire import INPUT, OUTPUT, STARTED, Incoming, encode, frame

_ETHERTYPE_IPV4 = 0x0800
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def send(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    """Put every frame that is sent to us on the wire of an interface, until the other side has gone."""
    sender = _socket.socket(_socket.AF_PACKET, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, 0)
    try:
        sender.bind((request["interface"], 0))
        incoming.connection.sendall(frame(STARTED))
        while True:
            for kind, content in incoming.receive():
                if kind == INPUT:
                    sender.send(content)
    finally:
        sender.close()


def receive(incoming: Incoming, request: "dict[str, Any]") -> "dict[str, Any]":
    """Pass on every UDP datagram that arrives at an address, at a port that is told first.

    Where the port is given it may be somebody's: then every packet that comes in by the interface.
    """
    port, connection, poll = request["port"], incoming.connection, select.poll()
    if port:
        kind, place = _socket.AF_PACKET, (request["interface"], _ETHERTYPE_IPV4)
    else:
        kind, place = _socket.AF_INET, (request["address"], 0)
    receiver = _socket.socket(kind, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        receiver.bind(place)
        connection.sendall(frame(STARTED, encode(port or receiver.getsockname()[1])))
        poll.register(receiver, select.POLLIN)
        poll.register(connection, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == receiver.fileno():
                    connection.sendall(frame(OUTPUT, receiver.recv(2048)))
                else:
                    incoming.receive()  # the end, which is an error there
    finally:
        receiver.close()
