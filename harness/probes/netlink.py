"""Reading the kernel's netlink messages: addresses and links (rtnetlink), set elements (nf_tables).

Pure: bytes in, small facts out. Layouts are those of linux/netlink.h, linux/rtnetlink.h,
linux/if_addr.h and linux/netfilter/nf_tables.h. Written by hand because the observer has to
start within 100 ms and pyroute2 alone takes longer than that to import.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple

NETLINK_ROUTE = 0
NETLINK_NETFILTER = 12
ROUTE_GROUPS = (1 << 0) | (1 << 4) | (1 << 8)
"""RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR and RTNLGRP_IPV6_IFADDR as a bind mask."""
NFTABLES_GROUPS = 1 << 6
"""NFNLGRP_NFTABLES (7) as a bind mask."""

NLMSG_ERROR, NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_RTM_NEWLINK, _RTM_DELLINK, _RTM_GETLINK = 16, 17, 18
_RTM_NEWADDR, _RTM_DELADDR, _RTM_GETADDR = 20, 21, 22
_IFINFOMSG_BYTES, _IFADDRMSG_BYTES, _NFGENMSG_BYTES = 16, 8, 4
_IFLA_IFNAME = 3
_IFA_ADDRESS, _IFA_LOCAL = 1, 2

_NFNL_SUBSYS_NFTABLES = 10
NFPROTO_NETDEV, NFPROTO_BRIDGE = 5, 7
GATE_FAMILIES = (NFPROTO_NETDEV, NFPROTO_BRIDGE)
"""Where a node may guard addresses: what its kernel offers decides."""
_DELTABLE, _DELSET, _NEWSETELEM, _GETSETELEM, _DELSETELEM, _NEWGEN = 2, 11, 12, 13, 14, 15
_TABLE_NAME = _SET_TABLE = _ELEM_LIST_TABLE = 1
_SET_NAME = _ELEM_LIST_SET = 2
_ELEM_LIST_ELEMENTS = 3
_ELEM_KEY, _ELEM_TIMEOUT, _ELEM_EXPIRATION = 1, 4, 5
_DATA_VALUE = 1

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_TYPE_MASK = 0x3FFF
_IPV4_BYTES, _IPV6_BYTES = 4, 16


class Message(NamedTuple):
    """One netlink message without its header."""

    kind: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class LinkChange:
    """An interface exists under this name, or is gone."""

    present: bool
    index: int
    name: str


@dataclass(frozen=True, slots=True)
class AddressChange:
    """An address was added to (or renewed on), or removed from, the interface with this index."""

    present: bool
    index: int
    address: str


@dataclass(frozen=True, slots=True)
class ElementChange:
    """An element of an nftables set was added or deleted.

    ``remaining_s`` is how long the kernel will keep it; None is for ever.
    """

    present: bool
    set_name: str
    address: str
    remaining_s: float | None = None


@dataclass(frozen=True, slots=True)
class SetRemoved:
    """A set, or (with the empty name) the whole table, was deleted."""

    set_name: str


@dataclass(frozen=True, slots=True)
class Committed:
    """The end of one nftables transaction: everything before it took effect at once."""


RouteChange = LinkChange | AddressChange
GateChange = ElementChange | SetRemoved | Committed


def messages(datagram: bytes) -> Iterator[Message]:
    """The messages of one datagram, in order."""
    offset = 0
    while offset + _HEADER.size <= len(datagram):
        length, kind, _flags, _sequence, _port = _HEADER.unpack_from(datagram, offset)
        if length < _HEADER.size:
            return
        yield Message(kind, datagram[offset + _HEADER.size : offset + length])
        offset += (length + 3) & ~3


def route_change(message: Message) -> RouteChange | None:
    """What an rtnetlink message says about a link or an address, or None."""
    if message.kind in (_RTM_NEWLINK, _RTM_DELLINK) and len(message.payload) >= _IFINFOMSG_BYTES:
        (index,) = struct.unpack_from("=i", message.payload, 4)
        name = _attributes(message.payload, _IFINFOMSG_BYTES).get(_IFLA_IFNAME, b"")
        return LinkChange(message.kind == _RTM_NEWLINK, index, _text(name))
    if message.kind in (_RTM_NEWADDR, _RTM_DELADDR) and len(message.payload) >= _IFADDRMSG_BYTES:
        (index,) = struct.unpack_from("=I", message.payload, 4)
        found = _attributes(message.payload, _IFADDRMSG_BYTES)
        raw = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS, b"")
        return AddressChange(message.kind == _RTM_NEWADDR, index, _address(raw))
    return None


def gate_changes(message: Message, table: str) -> tuple[GateChange, ...]:
    """What an nf_tables message says about the sets of the table of this name, in a family that gates are in."""
    if message.kind >> 8 != _NFNL_SUBSYS_NFTABLES or len(message.payload) < _NFGENMSG_BYTES:
        return ()
    kind = message.kind & 0xFF
    if kind == _NEWGEN:
        return (Committed(),)
    if kind not in (_DELTABLE, _DELSET, _NEWSETELEM, _DELSETELEM) or message.payload[0] not in GATE_FAMILIES:
        return ()
    found = _attributes(message.payload, _NFGENMSG_BYTES)
    if _text(found.get(_TABLE_NAME, b"")) != table:
        return ()
    if kind == _DELTABLE:
        return (SetRemoved(""),)
    name = _text(found.get(_SET_NAME, b""))
    if kind == _DELSET:
        return (SetRemoved(name),)
    elements = _attribute_list(found.get(_ELEM_LIST_ELEMENTS, b""), 0)
    return tuple(_element(kind == _NEWSETELEM, name, raw) for _, raw in elements)


def dump_links(sequence: int) -> bytes:
    """A request for all links of the namespace."""
    return _request(_RTM_GETLINK, sequence, bytes(_IFINFOMSG_BYTES))


def dump_addresses(sequence: int) -> bytes:
    """A request for all addresses of the namespace."""
    return _request(_RTM_GETADDR, sequence, bytes(_IFADDRMSG_BYTES))


def dump_elements(sequence: int, table: str, set_name: str, family: int = NFPROTO_NETDEV) -> bytes:
    """A request for all elements of a set of a table."""
    body = bytes((family, 0, 0, 0)) + _string(_ELEM_LIST_TABLE, table) + _string(_ELEM_LIST_SET, set_name)
    return _request(_NFNL_SUBSYS_NFTABLES << 8 | _GETSETELEM, sequence, body)


def ends_dump(message: Message) -> bool:
    """Whether a message ends a dump (also when there is nothing to dump)."""
    return message.kind in (NLMSG_DONE, NLMSG_ERROR)


def _element(present: bool, set_name: str, raw: bytes) -> ElementChange:
    found = dict(_attribute_list(raw, 0))
    key = dict(_attribute_list(found.get(_ELEM_KEY, b""), 0)).get(_DATA_VALUE, b"")
    # A dump tells how much is left, a fresh element only its whole timeout (both in milliseconds).
    remaining = found.get(_ELEM_EXPIRATION) or found.get(_ELEM_TIMEOUT)
    return ElementChange(
        present, set_name, _address(key), int.from_bytes(remaining, "big") / 1000 if remaining else None
    )


def _attributes(payload: bytes, offset: int) -> dict[int, bytes]:
    return dict(_attribute_list(payload, offset))


def _attribute_list(payload: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    while offset + _ATTRIBUTE.size <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind & _TYPE_MASK, payload[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3


def _request(kind: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, _NLM_F_REQUEST | _NLM_F_DUMP, sequence, 0) + body


def _string(kind: int, text: str) -> bytes:
    raw = text.encode() + b"\0"
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(raw), kind) + raw + bytes(-len(raw) % 4)


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode(errors="replace")


def _address(raw: bytes) -> str:
    return str(ip_address(raw)) if len(raw) in (_IPV4_BYTES, _IPV6_BYTES) else ""
