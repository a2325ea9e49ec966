"""Set elements and hooks of nf_tables through nfnetlink (linux/netfilter/nf_tables.h), hand-written.

libnftables first reads the whole rule set back, and parses a text, for every command; a lease is renewed many times a
second, always in the same words. So these words are made once, and sending them is a system call and reading the
answer another.
"""

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from .netlink import HEADER, NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST, NLMSG_ERROR, attribute, attributes_of

NETLINK_NETFILTER = 12
NFNL_SUBSYS_NFTABLES = 10
BATCH_BEGIN, BATCH_END = 0x10, 0x11
NEW_CHAIN, GET_CHAIN = NFNL_SUBSYS_NFTABLES << 8 | 3, NFNL_SUBSYS_NFTABLES << 8 | 4
NEW_ELEMENTS, DELETE_ELEMENTS = NFNL_SUBSYS_NFTABLES << 8 | 12, NFNL_SUBSYS_NFTABLES << 8 | 14
NFPROTO_UNSPEC, NFPROTO_INET, NFPROTO_NETDEV, NFPROTO_BRIDGE = 0, 1, 5, 7
NLA_F_NESTED = 0x8000
LIST_TABLE, LIST_SET, LIST_ELEMENTS = 1, 2, 3
LIST_ITEM = 1
CHAIN_TABLE, CHAIN_HANDLE, CHAIN_NAME, CHAIN_HOOK, CHAIN_TYPE = 1, 2, 3, 4, 7
HOOK_NUMBER, HOOK_PRIORITY, HOOK_DEVICE = 1, 2, 3
NUMBERS = {"ingress": 0, "egress": 1, "input": 1, "output": 3}
"""Of the hooks of the family netdev (linux/netfilter.h), and of the family bridge (linux/netfilter_bridge.h)."""
ELEMENT_KEY, ELEMENT_TIMEOUT = 1, 4
DATA_VALUE = 1
ANSWER = struct.Struct("=IHHIIi")
"""The header of an answer, and the error number in it."""
FAMILY = struct.Struct("!BBH")
RECEIVE_BYTES = 4096
_GET_INTERFACE_NAME, _INTERFACE_REQUEST = 0x8910, struct.Struct("16si20x")
"""SIOCGIFNAME and struct ifreq (netdevice(7))."""


@dataclass(frozen=True, slots=True)
class SetElements:
    """Elements (keys in network byte order) of one set of a table."""

    family: int
    table: str
    set: str
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class HookedChain:
    """A base chain of a table, and the device it has to be hooked on (None in a family that has none)."""

    family: int
    table: str
    handle: int
    hook: str
    device: str | None
    priority: int


Step = tuple[int, int, bytes]
"""One message of a batch: its kind, flags and body."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A batch that is ready to be sent; the kernel answers its last message, and whatever went wrong before."""

    batch: bytes
    last: int
    steps: tuple[Step, ...]


def replacing(gone: Sequence[SetElements], put: Sequence[SetElements], timeout_s: float) -> Transaction:
    """Delete elements, then add elements that live ``timeout_s``; all of it or, where one is not there, nothing."""
    life = attribute(ELEMENT_TIMEOUT, struct.pack("!Q", round(timeout_s * 1000)))
    deletions: list[Step] = [(DELETE_ELEMENTS, 0, _list(elements, b"")) for elements in gone]
    return batch([*deletions, *((NEW_ELEMENTS, NLM_F_CREATE, _list(elements, life)) for elements in put)])


def proving(chain: HookedChain) -> Step:
    """Changes nothing, and fails where the chain is gone, or is not hooked on the device that has this name now.

    It is an update of the chain to what it is already. The kernel finds the chain by its handle, so that it makes no
    new one, and looks the device up by its name: ENOENT where there is none. What is hooked elsewhere is EEXIST
    before Linux 6.4; from then on the kernel adds the hook, and from 6.16 on it has done so by itself.
    """
    hook = (
        attribute(HOOK_NUMBER, struct.pack("!I", NUMBERS[chain.hook]))
        + attribute(HOOK_PRIORITY, struct.pack("!i", chain.priority))
        + (attribute(HOOK_DEVICE, chain.device.encode() + b"\0") if chain.device is not None else b"")
    )
    return (
        NEW_CHAIN,
        0,
        FAMILY.pack(chain.family, 0, 0)
        + attribute(CHAIN_TABLE, chain.table.encode() + b"\0")
        + attribute(CHAIN_HANDLE, struct.pack("!Q", chain.handle))
        + attribute(CHAIN_HOOK | NLA_F_NESTED, hook)
        + attribute(CHAIN_TYPE, b"filter\0"),
    )


def batch(steps: Sequence[Step]) -> Transaction:
    """All of these steps, in this order, or none."""
    around = FAMILY.pack(NFPROTO_UNSPEC, 0, NFNL_SUBSYS_NFTABLES)
    kind, flags, body = steps[-1]
    messages = [(BATCH_BEGIN, 0, around), *steps[:-1], (kind, flags | NLM_F_ACK, body), (BATCH_END, 0, around)]
    return Transaction(
        b"".join(
            HEADER.pack(HEADER.size + len(body), kind, NLM_F_REQUEST | flags, number, 0) + body
            for number, (kind, flags, body) in enumerate(messages, start=1)
        ),
        last=len(messages) - 1,
        steps=tuple(steps),
    )


class NetfilterSocket:
    """Executes transactions in the network namespace it was made in. Nothing waits: the kernel answers at once."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, NETLINK_NETFILTER
        )
        self._socket.bind((0, 0))
        self._are_left = False
        """Whether there may be answers that nobody has read: there is one to success, and more to a refusal."""

    def interface_name(self, index: int) -> str | None:
        """The name of the interface with this number; None where there is none."""
        # Asked by number: a name that is not there has the kernel look for a module of that name, and wait for it.
        try:
            found = fcntl.ioctl(self._socket, _GET_INTERFACE_NAME, _INTERFACE_REQUEST.pack(b"", index))
        except OSError:
            return None
        return os.fsdecode(_INTERFACE_REQUEST.unpack(found)[0].rstrip(b"\0"))

    def execute(self, transaction: Transaction) -> None:
        """Raises OSError with the kernel's number (ENOENT: something to be deleted was not there); nothing is done."""
        self._forget_answers()
        self._are_left = True
        self._socket.send(transaction.batch)
        # What went wrong is said first, in the order of the messages: the last one's success is that of all.
        _, kind, _, number, _, error = ANSWER.unpack_from(self._socket.recv(RECEIVE_BYTES))
        if kind == NLMSG_ERROR and number == transaction.last and not error:
            self._are_left = False
            return
        raise OSError(-error or errno.EPROTO, os.strerror(-error or errno.EPROTO))

    def chain_handle(self, table: str, name: str, family: int = NFPROTO_NETDEV) -> int | None:
        """The number that the kernel gave to a chain; None where there is no such chain."""
        self._forget_answers()
        self._are_left = True
        body = FAMILY.pack(family, 0, 0)
        body += attribute(CHAIN_TABLE, table.encode() + b"\0") + attribute(CHAIN_NAME, name.encode() + b"\0")
        self._socket.send(HEADER.pack(HEADER.size + len(body), GET_CHAIN, NLM_F_REQUEST, 1, 0) + body)
        answer = self._socket.recv(RECEIVE_BYTES)
        size, kind, _, _, _ = HEADER.unpack_from(answer)
        if kind == NLMSG_ERROR:
            error = -ANSWER.unpack_from(answer)[-1]
            if error == errno.ENOENT:
                return None
            raise OSError(error, os.strerror(error))
        handle = attributes_of(answer[HEADER.size + FAMILY.size : size])[CHAIN_HANDLE]
        return int.from_bytes(handle)

    def _forget_answers(self) -> None:
        with suppress(OSError):  # there is none (left)
            while self._are_left:
                self._socket.recv(RECEIVE_BYTES)


def _list(elements: SetElements, life: bytes) -> bytes:
    items = b"".join(attribute(LIST_ITEM | NLA_F_NESTED, _key(key) + life) for key in elements.keys)
    return (
        FAMILY.pack(elements.family, 0, 0)
        + attribute(LIST_TABLE, elements.table.encode() + b"\0")
        + attribute(LIST_SET, elements.set.encode() + b"\0")
        + attribute(LIST_ELEMENTS | NLA_F_NESTED, items)
    )


def _key(key: bytes) -> bytes:
    return attribute(ELEMENT_KEY | NLA_F_NESTED, attribute(DATA_VALUE, key))
