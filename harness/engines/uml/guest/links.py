"""The node's interfaces: the one to its cable, and the one to the harness, which is nobody else's business."""

import _socket
import fcntl
import os
import struct
import time

from .system import WAITS_FOR_CABLE, Refused, check, libc, read_file, write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ADDRESS, HOST_ADDRESS, PREFIX_LENGTH, PORT = "169.254.77.2", "169.254.77.1", 30, 77
MAC = "02:00:00:00:77:02"
CABLE = "vec1"
"""What the kernel calls the interface that it is given when the node is plugged in."""
_CLONE_NEWNET = 0x40000000
_LINK_WITHIN_S = 10.0
_SIOCADDRT, _SIOCSIFNAME, _SIOCSIFFLAGS = 0x890B, 0x8923, 0x8914
_SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCSIFHWADDR, _SIOCGIFFLAGS = 0x8916, 0x891C, 0x8924, 0x8913
_IFF_UP = 1
_RTM_NEWLINK, _NLM_F_REQUEST_ACK, _NLM_F_CREATE_NEW = 16, 5, 0x600
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MASTER, _IFLA_OPERSTATE, _IFLA_LINKMODE, _IFLA_LINKINFO = 1, 3, 10, 16, 17, 18
_IFLA_NET_NS_PID, _IFLA_INFO_KIND, _IFLA_INFO_DATA, _IFLA_BR_STP_STATE, _IFLA_BR_MCAST_SNOOPING = 19, 1, 2, 5, 23
_OPER_UP, _MODE_DEFAULT, _MODE_DORMANT = 6, 0, 1


def listen() -> _socket.socket:
    """A socket in a namespace of its own, in which the interface to the harness is, too."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    netlink = _netlink()
    check(libc.unshare(_CLONE_NEWNET), "make a network namespace")
    _set_link(netlink, "vec0", struct.pack("HHI", 8, _IFLA_NET_NS_PID, os.getpid()))
    netlink.close()
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    _set_address(listener, "vec0", ADDRESS, PREFIX_LENGTH)
    set_up(listener, "vec0")
    listener.bind((ADDRESS, PORT))
    listener.listen(128)
    check(libc.setns(home, _CLONE_NEWNET), "return to the node's network")
    os.close(home)
    return listener


def _netlink() -> _socket.socket:
    return _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, 0)


def _set_link(netlink: _socket.socket, name: str, *attributes: bytes) -> None:
    _tell(netlink, _index_in(name), _NLM_F_REQUEST_ACK, b"".join(attributes), f"change {name}")


def _tell(netlink: _socket.socket, index: int, flags: int, attributes: bytes, what: str) -> None:
    content = struct.pack("BxHiII", 0, 0, index, 0, 0) + attributes
    netlink.send(struct.pack("IHHII", 16 + len(content), _RTM_NEWLINK, flags, 1, 0) + content)
    number = -struct.unpack_from("i", netlink.recv(4096), 16)[0]
    if number:
        raise OSError(number, f"cannot {what}: {os.strerror(number)}")


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _make_bridge(netlink: _socket.socket, name: str, mac: bytes) -> None:
    """The interface is a bridge, and what leads to the cable is its one port, up in nobody's eyes but the kernel's."""
    from .modules import load_modules

    load_modules(("bridge",))
    settings = _attribute(_IFLA_BR_STP_STATE, struct.pack("I", 0)) + _attribute(_IFLA_BR_MCAST_SNOOPING, b"\0")
    kind = _attribute(_IFLA_INFO_KIND, b"bridge") + _attribute(_IFLA_INFO_DATA, settings)
    about = _attribute(_IFLA_ADDRESS, mac) + _attribute(_IFLA_IFNAME, name.encode() + b"\0")
    about += _attribute(_IFLA_LINKINFO, kind)
    _tell(netlink, 0, _NLM_F_REQUEST_ACK | _NLM_F_CREATE_NEW, about, f"make the bridge {name}")
    _set_link(netlink, CABLE, _attribute(_IFLA_MASTER, struct.pack("I", _index_in(name))))
    write_file(f"/proc/sys/net/ipv6/conf/{CABLE}/disable_ipv6", "1")


def _index_in(name: str) -> int:
    return int(read_file(f"/sys/class/net/{name}/ifindex"))


def _request(name: str, content: bytes = b"") -> bytes:
    return struct.pack("16s24s", name.encode(), content)


def _internet(address: str) -> bytes:
    return struct.pack("Hxx4s", _socket.AF_INET, _socket.inet_aton(address))


def set_up(any_socket: _socket.socket, name: str) -> None:
    """An interface is to be up."""
    flags = struct.unpack_from("H", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, _request(name)), 16)[0]
    fcntl.ioctl(any_socket, _SIOCSIFFLAGS, _request(name, struct.pack("H", flags | _IFF_UP)))


def _set_address(any_socket: _socket.socket, name: str, address: str, prefix_length: int) -> None:
    mask = _socket.inet_ntoa(struct.pack("!I", 0xFFFFFFFF << 32 - prefix_length & 0xFFFFFFFF))
    fcntl.ioctl(any_socket, _SIOCSIFADDR, _request(name, _internet(address)))
    fcntl.ioctl(any_socket, _SIOCSIFNETMASK, _request(name, _internet(mask)))


def plug(request: "dict[str, Any]") -> None:
    """Give the new interface its name and addresses. It is not up in the eyes of the node until the cable is in."""
    name, deadline_s = request["interface"], time.monotonic() + _LINK_WITHIN_S
    while not os.path.exists(f"/sys/class/net/{CABLE}"):
        if time.monotonic() > deadline_s:
            raise Refused(f"the kernel has no interface {CABLE} after {_LINK_WITHIN_S:g} s")
        time.sleep(0.001)
    any_socket, netlink = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM), _netlink()
    try:
        mac = bytes.fromhex(request["mac"].replace(":", ""))
        fcntl.ioctl(any_socket, _SIOCSIFHWADDR, _request(CABLE, struct.pack("H6s", 1, mac)))
        if request.get("as_bridge"):
            _make_bridge(netlink, name, mac)
            set_up(any_socket, CABLE)
        else:
            fcntl.ioctl(any_socket, _SIOCSIFNAME, _request(CABLE, name.encode()))
        _set_link(netlink, name, struct.pack("HHBxxx", 5, _IFLA_LINKMODE, _MODE_DORMANT))
        _set_address(any_socket, name, request["address"], request["prefix_length"])
        set_up(any_socket, name)
        if gateway := request["gateway"]:
            anywhere, up_by_gateway = _internet("0.0.0.0"), 3
            # struct rtentry
            route = struct.pack(
                "8x16s16s16sH2x4x8x8xh6xPQQH6x",
                anywhere, _internet(gateway), anywhere, up_by_gateway, 0, 0, 0, 0, 0,
            )  # fmt: skip
            fcntl.ioctl(any_socket, _SIOCADDRT, route)
    finally:
        any_socket.close()
        netlink.close()


def cable_is_in(request: "dict[str, Any]") -> None:
    """The interface is up from here on, and whoever waits for that is told."""
    netlink = _netlink()
    _set_link(netlink, request["interface"], struct.pack("HHBxxx", 5, _IFLA_OPERSTATE, _OPER_UP))
    _set_link(netlink, request["interface"], struct.pack("HHBxxx", 5, _IFLA_LINKMODE, _MODE_DEFAULT))
    netlink.close()
    if os.path.exists(WAITS_FOR_CABLE):
        # For reading, too: that never blocks, whether somebody waits or not.
        descriptor = os.open(WAITS_FOR_CABLE, os.O_RDWR)
        os.unlink(WAITS_FOR_CABLE)
        os.close(descriptor)
