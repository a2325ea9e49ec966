"""Elements of nf_tables sets through nfnetlink (linux/netfilter/nf_tables.h), hand-written.

libnftables first reads the whole rule set back, and parses a text, for every command; a lease is renewed many times a
second, always in the same words. So these words are made once, and sending them is a system call and reading the
answer another.
"""

import errno
import os
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from .netlink import HEADER, NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST, NLMSG_ERROR, attribute

NETLINK_NETFILTER = 12
NFNL_SUBSYS_NFTABLES = 10
BATCH_BEGIN, BATCH_END = 0x10, 0x11
NEW_ELEMENTS, DELETE_ELEMENTS = NFNL_SUBSYS_NFTABLES << 8 | 12, NFNL_SUBSYS_NFTABLES << 8 | 14
NFPROTO_UNSPEC, NFPROTO_NETDEV = 0, 5
NLA_F_NESTED = 0x8000
LIST_TABLE, LIST_SET, LIST_ELEMENTS = 1, 2, 3
LIST_ITEM = 1
ELEMENT_KEY, ELEMENT_TIMEOUT = 1, 4
DATA_VALUE = 1
ANSWER = struct.Struct("=IHHIIi")
"""The header of an answer, and the error number in it."""
FAMILY = struct.Struct("!BBH")
RECEIVE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class SetElements:
    """Elements (keys in network byte order) of one set of a table in the family netdev."""

    table: str
    set: str
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A batch that is ready to be sent; the kernel answers its last message, and whatever went wrong before."""

    batch: bytes
    last: int


def replacing(gone: Sequence[SetElements], put: Sequence[SetElements], timeout_s: float) -> Transaction:
    """Delete elements, then add elements that live ``timeout_s``; all of it or, where one is not there, nothing."""
    messages = [(BATCH_BEGIN, 0, FAMILY.pack(NFPROTO_UNSPEC, 0, NFNL_SUBSYS_NFTABLES))]
    messages += [(DELETE_ELEMENTS, 0, _list(elements, b"")) for elements in gone]
    life = attribute(ELEMENT_TIMEOUT, struct.pack("!Q", round(timeout_s * 1000)))
    messages += [(NEW_ELEMENTS, NLM_F_CREATE, _list(elements, life)) for elements in put]
    last = len(messages)
    kind, flags, body = messages[-1]
    messages[-1] = (kind, flags | NLM_F_ACK, body)
    messages.append((BATCH_END, 0, FAMILY.pack(NFPROTO_UNSPEC, 0, NFNL_SUBSYS_NFTABLES)))
    return Transaction(
        b"".join(
            HEADER.pack(HEADER.size + len(body), kind, NLM_F_REQUEST | flags, number, 0) + body
            for number, (kind, flags, body) in enumerate(messages, start=1)
        ),
        last,
    )


class NetfilterSocket:
    """Executes transactions in the network namespace it was made in. Nothing waits: the kernel answers at once."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, NETLINK_NETFILTER
        )
        self._socket.bind((0, 0))

    def execute(self, transaction: Transaction) -> None:
        """Raises OSError with the kernel's number (ENOENT: something to be deleted was not there); nothing is done."""
        self._forget_answers()  # of a transaction whose own answer could not be received
        self._socket.send(transaction.batch)
        # What went wrong is said first, in the order of the messages: the last one's success is that of all.
        _, kind, _, number, _, error = ANSWER.unpack_from(self._socket.recv(RECEIVE_BYTES))
        if kind == NLMSG_ERROR and number == transaction.last and not error:
            return
        raise OSError(-error or errno.EPROTO, os.strerror(-error or errno.EPROTO))

    def _forget_answers(self) -> None:
        with suppress(OSError):  # there is none (left)
            while True:
                self._socket.recv(RECEIVE_BYTES)


def _list(elements: SetElements, life: bytes) -> bytes:
    items = b"".join(attribute(LIST_ITEM | NLA_F_NESTED, _key(key) + life) for key in elements.keys)
    return (
        FAMILY.pack(NFPROTO_NETDEV, 0, 0)
        + attribute(LIST_TABLE, elements.table.encode() + b"\0")
        + attribute(LIST_SET, elements.set.encode() + b"\0")
        + attribute(LIST_ELEMENTS | NLA_F_NESTED, items)
    )


def _key(key: bytes) -> bytes:
    return attribute(ELEMENT_KEY | NLA_F_NESTED, attribute(DATA_VALUE, key))
