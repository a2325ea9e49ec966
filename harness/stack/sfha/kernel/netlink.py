"""Addresses through rtnetlink (rtnetlink(7)), hand-written: pyroute2's import costs 0.12 s of processor time."""

import errno
import os
import socket
import struct

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE = 24, 25
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_REPLACE, NLM_F_CREATE, NLM_F_DUMP = 0x1, 0x4, 0x100, 0x400, 0x300
NLM_F_APPEND = 0x800
IFA_ADDRESS, IFA_LOCAL, IFA_CACHEINFO, IFA_FLAGS = 1, 2, 6, 8
IFA_F_NOPREFIXROUTE = 0x200
ROUTE_LIFE_S = 2
IFA_F_NODAD = 0x02
"""No duplicate address detection: it would keep the address silent for a second, and the lease makes sure already."""
RTA_DST, RTA_OIF, RTA_PRIORITY, RTA_PREFSRC, RTA_EXPIRES = 1, 4, 6, 7, 23
RT_TABLE_MAIN, RTN_UNICAST, RT_SCOPE_UNIVERSE, RT_SCOPE_LINK = 254, 1, 0, 253
IFLA_LINKINFO, IFLA_INFO_KIND = 18, 1
HEADER = struct.Struct("=IHHII")
IFINFOMSG = struct.Struct("=BxHiII")
IFADDRMSG = struct.Struct("=BBBBI")
RTMSG = struct.Struct("=BBBBBBBBI")
ATTRIBUTE = struct.Struct("=HH")
RECEIVE_BYTES = 65536


def interface_index(name: str) -> int:
    """The interface's number. Raises OSError (ENODEV, the kernel's words) when there is none."""
    try:
        return socket.if_nametoindex(name)
    except OSError as error:  # it may come without a number
        raise OSError(errno.ENODEV, f"{os.strerror(errno.ENODEV)}: {name}") from error


def is_bridge(index: int) -> bool:
    """Whether the interface of this number is a bridge; one that is not there is none."""
    table = AddressTable()
    try:
        about = table.link(index)
    except OSError:
        return False
    finally:
        table.close()
    return attributes_of(about.get(IFLA_LINKINFO, b"")).get(IFLA_INFO_KIND, b"").rstrip(b"\0") == b"bridge"


class AddressTable:
    """This network namespace's addresses, of both families. Every error is an OSError with the kernel's own number."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._sequence = 0

    def put(self, interface: str, address: str, prefix: int, life_s: int | None = None) -> None:
        """Add the address, or give it a new life of ``life_s`` seconds (None: for ever)."""
        self.put_at(interface_index(interface), address, prefix, life_s)

    def put_at(
        self, index: int, address: str, prefix: int, life_s: int | None = None, *, without_route: bool = False
    ) -> None:
        """The same, on the interface of a number; the kernel then also knows that its network is there, or not."""
        family, ip = packed(address)
        attributes = attribute(IFA_LOCAL, ip) + attribute(IFA_ADDRESS, ip)
        own = (IFA_F_NODAD if family == socket.AF_INET6 else 0) | (IFA_F_NOPREFIXROUTE if without_route else 0)
        if own:
            attributes += attribute(IFA_FLAGS, struct.pack("=I", own))
        if life_s is not None:
            # Never preferred in IPv6: the node's own connections are to come from an address that stays with it.
            preferred_s = 0 if family == socket.AF_INET6 else life_s
            attributes += attribute(IFA_CACHEINFO, struct.pack("=IIII", preferred_s, life_s, 0, 0))
        flags = NLM_F_ACK | NLM_F_REPLACE | NLM_F_CREATE
        self._call(RTM_NEWADDR, flags, IFADDRMSG.pack(family, prefix, 0, 0, index) + attributes)

    def remove(self, interface: str, address: str, prefix: int) -> bool:
        """Take the address away; False when it was not there."""
        try:
            return self.remove_at(interface_index(interface), address, prefix)
        except OSError as error:
            if error.errno == errno.ENODEV:
                return False
            raise

    def remove_at(self, index: int, address: str, prefix: int) -> bool:
        """The same, from the interface of a number."""
        family, ip = packed(address)
        try:
            body = IFADDRMSG.pack(family, prefix, 0, 0, index) + attribute(IFA_LOCAL, ip)
            self._call(RTM_DELADDR, NLM_F_ACK, body)
        except OSError as error:
            # The kernel says EADDRNOTAVAIL for an address, ENODEV for an interface that is not there.
            if error.errno in (errno.EADDRNOTAVAIL, errno.ENODEV):
                return False
            raise
        return True

    def add_route(self, index: int, network: tuple[str, int], source: str, *, metric: int, protocol: int) -> None:
        """That a network is on an interface, for as long as ``source`` is: no error where that is known.

        An IPv4 route goes with its source. One of IPv6 does not, so it gets a life of its own, in whole seconds.
        """
        family, net = packed(network[0])
        attributes = attribute(RTA_DST, net) + attribute(RTA_OIF, struct.pack("=I", index))
        attributes += attribute(RTA_PRIORITY, struct.pack("=I", metric))
        if family == socket.AF_INET6:
            attributes += attribute(RTA_EXPIRES, struct.pack("=I", ROUTE_LIFE_S))
            flags, scope = NLM_F_CREATE | NLM_F_REPLACE, RT_SCOPE_UNIVERSE
        else:
            attributes += attribute(RTA_PREFSRC, packed(source)[1])
            flags, scope = NLM_F_CREATE | NLM_F_APPEND, RT_SCOPE_LINK
        body = RTMSG.pack(family, network[1], 0, 0, RT_TABLE_MAIN, protocol, scope, RTN_UNICAST, 0)
        try:
            self._call(RTM_NEWROUTE, NLM_F_ACK | flags, body + attributes)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise

    def addresses(self, interface: str) -> set[tuple[str, int]]:
        """Address and prefix length of everything on an interface."""
        index = interface_index(interface)
        found: set[tuple[str, int]] = set()
        for payload in self._call(RTM_GETADDR, NLM_F_DUMP, IFADDRMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
            family, prefix, _, _, at_index = IFADDRMSG.unpack_from(payload)
            if at_index != index or family not in (socket.AF_INET, socket.AF_INET6):
                continue
            attributes = attributes_of(payload[IFADDRMSG.size :])
            local = attributes.get(IFA_LOCAL) or attributes.get(IFA_ADDRESS)  # IPv6 gives the latter alone
            if local:
                found.add((socket.inet_ntop(family, local), prefix))
        return found

    def lasting(self, beyond_s: int) -> set[str]:
        """The addresses on any interface that live on for more than ``beyond_s`` seconds, or for ever."""
        found: set[str] = set()
        for payload in self._call(RTM_GETADDR, NLM_F_DUMP, IFADDRMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
            family = IFADDRMSG.unpack_from(payload)[0]
            attributes = attributes_of(payload[IFADDRMSG.size :])
            local = attributes.get(IFA_LOCAL) or attributes.get(IFA_ADDRESS)
            if local is None or family not in (socket.AF_INET, socket.AF_INET6):
                continue
            _, valid_s = struct.unpack_from("=II", attributes.get(IFA_CACHEINFO, b"\xff" * 8))
            if valid_s > beyond_s:
                found.add(socket.inet_ntop(family, local))
        return found

    def link(self, index: int) -> dict[int, bytes]:
        """What the kernel says of an interface."""
        answers = self._call(RTM_GETLINK, NLM_F_ACK, IFINFOMSG.pack(0, 0, index, 0, 0))
        return attributes_of(answers[0][IFINFOMSG.size :])

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _call(self, kind: int, flags: int, body: bytes) -> list[bytes]:
        self._sequence += 1
        length = HEADER.size + len(body)
        self._socket.send(HEADER.pack(length, kind, NLM_F_REQUEST | flags, self._sequence, 0) + body)
        answers: list[bytes] = []
        while True:
            data = self._socket.recv(RECEIVE_BYTES)
            offset = 0
            while offset + HEADER.size <= len(data):
                size, answer, _, sequence, _ = HEADER.unpack_from(data, offset)
                payload = data[offset + HEADER.size : offset + size]
                offset += (size + 3) & ~3
                if sequence != self._sequence:
                    continue
                if answer == NLMSG_DONE:
                    return answers
                if answer == NLMSG_ERROR:
                    number = -struct.unpack_from("=i", payload)[0]
                    if number:
                        raise OSError(number, os.strerror(number))
                    return answers
                answers.append(payload)


def packed(address: str) -> tuple[int, bytes]:
    """Family and bytes of an address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.inet_pton(family, address)


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute of a netlink message, padded to four bytes (netlink(7))."""
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(value), kind) + value + b"\x00" * (-len(value) % 4)


def attributes_of(data: bytes) -> dict[int, bytes]:
    """Attributes by kind, without the flags of the kind."""
    found, offset = {}, 0
    while offset + ATTRIBUTE.size <= len(data):
        size, kind = ATTRIBUTE.unpack_from(data, offset)
        if size < ATTRIBUTE.size:
            break
        found[kind & 0x3FFF] = data[offset + ATTRIBUTE.size : offset + size]
        offset += (size + 3) & ~3
    return found
