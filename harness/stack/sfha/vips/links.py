"""What the kernel says of this node's interfaces, addresses and default routes, as it happens (rtnetlink(7)).

Nothing is polled. The state is read once; from then on the kernel's own notices change it. They wake the daemon, so
those of routes to single networks, and the one that comes several times a second for every virtual address, the
renewal of its short life, are filtered in the kernel (bpf(4)'s classic form, with the extension that finds netlink
attributes: Documentation/networking/filter.rst).
"""

import ctypes
import errno
import socket
import struct
import sys
from collections.abc import Callable

from ..kernel.netlink import (
    HEADER,
    IFA_ADDRESS,
    IFA_CACHEINFO,
    IFA_LOCAL,
    IFADDRMSG,
    IFINFOMSG,
    NLM_F_DUMP,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    RECEIVE_BYTES,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_DELROUTE,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    attributes_of,
)
from .core import ADDRESS_LIFE_S
from .default_routes import DefaultRoutes
from .interface import Link

GROUP_LINK, GROUP_IPV4_ADDRESS, GROUP_IPV6_ADDRESS = 0x1, 0x10, 0x100
GROUP_IPV4_ROUTE, GROUP_IPV6_ROUTE = 0x40, 0x400
GROUPS = GROUP_LINK | GROUP_IPV4_ADDRESS | GROUP_IPV6_ADDRESS | GROUP_IPV4_ROUTE | GROUP_IPV6_ROUTE
IFLA_IFNAME = 3
IFF_UP, IFF_RUNNING = 0x1, 0x40
SO_ATTACH_FILTER = 26
LOAD_BYTE, LOAD_HALF, LOAD_WORD, LOAD_VALUE, LOAD_VALUE_TO_X, LOAD_WORD_AT_X = 0x30, 0x28, 0x20, 0x00, 0x01, 0x40
JUMP_IF_EQUAL, MOVE_TO_X, RETURN = 0x15, 0x07, 0x06
FIND_ATTRIBUTE = 0xFFFFF000 + 12
WHOLE_PACKET = 0xFFFFFFFF
DESTINATION_BITS_AT = 1
"""Where struct rtmsg has the length of the route's network: zero is a default route."""
VALID_AT = 8
"""Where struct ifa_cacheinfo has the time for which an address is valid, from its attribute's beginning."""
Instruction = tuple[int, int, int, int]


class LinkWatch:
    """The interfaces, and the addresses that were given to them for good, of this network namespace."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        _attach(self._socket, _without_renewals())
        self._socket.bind((0, GROUPS))
        self._ways = DefaultRoutes()
        self._read_all()
        self._ways.look(self._by_address.get)

    def fileno(self) -> int:
        """Readable when the kernel has something to say."""
        return self._socket.fileno()

    def read(self) -> bool:
        """Take what the kernel has said; whether anything is different now. Never waits."""
        before, is_news = (dict(self._links), set(self._lasting)), False
        try:
            while True:
                _each(self._socket.recv(RECEIVE_BYTES), self._take)
                is_news = True
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            # It said more than fitted: what was lost is not known, and what is left is older than what is read now.
            self._forget_all()
            self._read_all()
            is_news = True
        changed = before != (self._links, self._lasting)
        if changed:
            self._sum_up()
        return (is_news and self._ways.look(self._by_address.get)) or changed

    def link(self, name: str) -> Link | None:
        """The interface that has this name now."""
        return self._by_name.get(name)

    def exists(self, index: int) -> bool:
        """Whether there is an interface of this number, whatever it is called now."""
        return index in self._links

    def is_lasting(self, address: str) -> bool:
        """Whether the address was given to this node for longer than sfha ever would."""
        return address in self._by_address

    def has_lost_way(self, interface: str, address: str) -> bool:
        """Whether other networks were reached by this interface, and are not reached any more, from such an address."""
        return self._ways.is_lost(interface, address)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _forget_all(self) -> None:
        while True:
            try:
                self._socket.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise

    def _read_all(self) -> None:
        self._links: dict[int, tuple[str, Link]] = {}
        self._lasting: set[tuple[int, str, int]] = set()
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as asking:
            asking.bind((0, 0))
            for kind, body in ((RTM_GETLINK, IFINFOMSG.pack(0, 0, 0, 0, 0)), (RTM_GETADDR, IFADDRMSG.pack(*[0] * 5))):
                asking.send(HEADER.pack(HEADER.size + len(body), kind, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + body)
                while _each(asking.recv(RECEIVE_BYTES), self._take):
                    pass
        self._sum_up()

    def _sum_up(self) -> None:
        self._by_name = dict(self._links.values())
        names = {index: name for index, (name, _) in self._links.items()}
        self._by_address = {address: names.get(index, "") for index, address, _ in self._lasting}

    def _take(self, kind: int, payload: bytes) -> None:
        if kind in (RTM_NEWLINK, RTM_DELLINK):
            self._take_link(kind, payload)
        elif kind in (RTM_NEWADDR, RTM_DELADDR):
            self._take_address(kind, payload)

    def _take_link(self, kind: int, payload: bytes) -> None:
        family, _, index, flags, _ = IFINFOMSG.unpack_from(payload)
        if family != socket.AF_UNSPEC:  # of a bridge: it lost a port, for instance, which is not the interface's end
            return
        name = attributes_of(payload[IFINFOMSG.size :]).get(IFLA_IFNAME)
        if kind == RTM_DELLINK or name is None:
            self._links.pop(index, None)
        else:
            link = Link(index, bool(flags & IFF_UP), bool(flags & IFF_RUNNING))
            self._links[index] = (name.rstrip(b"\0").decode(errors="surrogateescape"), link)

    def _take_address(self, kind: int, payload: bytes) -> None:
        family, prefix, _, _, index = IFADDRMSG.unpack_from(payload)
        attributes = attributes_of(payload[IFADDRMSG.size :])
        local = attributes.get(IFA_LOCAL) or attributes.get(IFA_ADDRESS)
        if local is None or family not in (socket.AF_INET, socket.AF_INET6):
            return
        _, valid_s = struct.unpack_from("=II", attributes.get(IFA_CACHEINFO, b"\xff" * 8))
        one = (index, socket.inet_ntop(family, local), prefix)
        if kind == RTM_NEWADDR and valid_s > ADDRESS_LIFE_S:
            self._lasting.add(one)
        else:
            self._lasting.discard(one)


def _each(data: bytes, take: Callable[[int, bytes], None]) -> bool:
    """Every message of a packet; False where it was the last of a dump. Raises OSError that the kernel reports."""
    offset = 0
    while offset + HEADER.size <= len(data):
        size, kind, _, _, _ = HEADER.unpack_from(data, offset)
        payload = data[offset + HEADER.size : offset + size]
        offset += (size + 3) & ~3
        if kind == NLMSG_DONE:
            return False
        if kind == NLMSG_ERROR:
            raise OSError(-struct.unpack_from("=i", payload)[0], "netlink")
        take(kind, payload)
    return True


def _without_renewals() -> list[Instruction]:
    """A filter: news of an address with no longer a life than ours, or of a route that is no default one, is dropped.

    All else passes. The filter's loads are in network byte order, the kernel's messages in that of the machine.
    """
    route, pass_, drop = 10, 14, 15

    def jump(here: int, value: int, *, then: int | None = None, otherwise: int | None = None) -> Instruction:
        to = [0 if target is None else target - here - 1 for target in (then, otherwise)]
        return JUMP_IF_EQUAL, to[0], to[1], value

    return [
        (LOAD_HALF, 0, 0, 4),
        jump(1, _seen(RTM_NEWADDR, 2), otherwise=route),
        (LOAD_VALUE, 0, 0, HEADER.size + IFADDRMSG.size),
        (LOAD_VALUE_TO_X, 0, 0, IFA_CACHEINFO),
        (LOAD_WORD, 0, 0, FIND_ATTRIBUTE),
        jump(5, 0, then=pass_),
        (MOVE_TO_X, 0, 0, 0),
        (LOAD_WORD_AT_X, 0, 0, VALID_AT),
        jump(8, _seen(ADDRESS_LIFE_S, 4), then=drop),
        jump(9, 0, then=drop, otherwise=pass_),
        jump(10, _seen(RTM_NEWROUTE, 2), then=12),
        jump(11, _seen(RTM_DELROUTE, 2), otherwise=pass_),
        (LOAD_BYTE, 0, 0, HEADER.size + DESTINATION_BITS_AT),
        jump(13, 0, then=pass_, otherwise=drop),
        (RETURN, 0, 0, WHOLE_PACKET),
        (RETURN, 0, 0, 0),
    ]


def _seen(value: int, size: int) -> int:
    """A number of this machine, as a load in network byte order sees it."""
    return int.from_bytes(value.to_bytes(size, sys.byteorder))


def _attach(receiving: socket.socket, program: list[Instruction]) -> None:
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    receiving.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(buffer))
    )
