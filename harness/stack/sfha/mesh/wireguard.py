"""The WireGuard interface: the kernel's where there is one, else wireguard-go (wireguard-go(8), wg(8))."""

import ctypes
import errno
import fcntl
import os
import re
import socket
import stat
import struct
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from ...kit.messages import Message, message
from .core import KEEPALIVE_S, Condition, SeenPeer, TunnelPeer, parse_peers
from .udp import holder_of

CONTROL_DIRECTORY = Path("/var/run/wireguard")
TUN = Path("/dev/net/tun")
TUN_DEVICE = (10, 200)
START_TIMEOUT_S = 5.0
SIOCGIFCONF, SIOCGIFFLAGS, SIOCGIFMTU, IFF_UP = 0x8912, 0x8913, 0x8921, 1
IFREQ_BYTES, MOST_ADDRESSES = 40, 1024
_LISTEN_PORT = re.compile(r"^ListenPort = (\d+)$", re.MULTILINE)


class WireGuardError(Exception):
    """The tunnel cannot be brought up; the message holds the tool's own words, or says what is in the way."""

    def __init__(self, why: Message | str) -> None:
        super().__init__(why)
        self.why = why


def bring_up(interface: str, address: str, mtu: int, setconf: str) -> str:
    """Have the interface up and configured; returns "kernel", "wireguard-go", "kept" or "repaired" (it was there).

    An interface that exists is told only what changed, so that a daemon's restart does not disturb the tunnel. One
    that was made here and cannot be configured is removed again. Raises WireGuardError.
    """
    if is_up(interface):
        was_well = condition(interface).serves(address)
        repair(interface, address, mtu, setconf)
        _configure("syncconf", interface, setconf)
        return "kept" if was_well else "repaired"
    how = "kernel"
    if _try("ip", "link", "add", interface, "type", "wireguard"):
        _start_wireguard_go(interface)
        how = "wireguard-go"
    try:
        _configure("setconf", interface, setconf)
        repair(interface, address, mtu, setconf)
    except WireGuardError:
        with suppress(WireGuardError):
            take_down(interface)
        raise
    return how


def repair(interface: str, address: str, mtu: int, setconf: str = "") -> None:
    """Have an interface that is there up, with this address and MTU; one that is so already notices nothing.

    Raises WireGuardError, with the port and who has it where that is the reason (``setconf`` says the port).
    """
    batch = f"address replace {address} dev {interface}\nlink set {interface} mtu {mtu} up\n"
    try:
        _run("ip", "-batch", "-", stdin=batch)
    except WireGuardError as error:
        raise _about_port(error, setconf) from error


def condition(interface: str) -> Condition:
    """How the interface is now; costs some microseconds (netdevice(7))."""
    name = interface.encode()[:15]

    def asked(request: int, form: str) -> int | None:
        try:
            answer = fcntl.ioctl(probe, request, struct.pack(f"16s{IFREQ_BYTES - 16}x", name))
        except OSError:
            return None
        return int(struct.unpack_from(form, answer, 16)[0])

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        flags, mtu = asked(SIOCGIFFLAGS, "=H"), asked(SIOCGIFMTU, "=i")
        if flags is None:
            return Condition()
        return Condition(True, bool(flags & IFF_UP), _addresses(probe, name), mtu or 0)


def _addresses(probe: socket.socket, name: bytes) -> frozenset[str]:
    """Every IPv4 address of an interface, the second ones as well."""
    room = ctypes.create_string_buffer(MOST_ADDRESSES * IFREQ_BYTES)
    asked = struct.pack("@iP", len(room), ctypes.addressof(room))
    (length,) = struct.unpack_from("@i", fcntl.ioctl(probe, SIOCGIFCONF, asked))
    entries = (room.raw[at : at + IFREQ_BYTES] for at in range(0, length, IFREQ_BYTES))
    return frozenset(
        socket.inet_ntoa(entry[20:24])
        for entry in entries
        if entry[:16].partition(b"\0")[0].partition(b":")[0] == name  # an address may have a label, "eth0:1"
    )


def made_by(interface: str) -> str:
    """Whose tunnel it is: "wireguard-go", a program that answers for the interface, or the "kernel"."""
    return "wireguard-go" if _listens(CONTROL_DIRECTORY / f"{interface}.sock") else "kernel"


def is_up(interface: str) -> bool:
    """Whether the interface is there."""
    return Path(f"/proc/sys/net/ipv4/conf/{interface}").exists()


def _configure(how: str, interface: str, setconf: str) -> None:
    try:
        _run("wg", how, interface, "/dev/stdin", stdin=setconf)
    except WireGuardError as error:
        raise _about_port(error, setconf) from error


def _about_port(error: WireGuardError, setconf: str) -> WireGuardError:
    """The error, in words that help where it is about the port."""
    port = _LISTEN_PORT.search(setconf)
    if port is None or os.strerror(errno.EADDRINUSE) not in str(error):
        return error
    return WireGuardError(port_taken(int(port[1])))


def port_taken(port: int) -> Message:
    """Says that the port cannot be had, and who has it."""
    return message("mesh.port-taken", port=port, holder=str(holder_of(port) or "?"))


def new_private_key() -> str:
    """A fresh private key. Raises WireGuardError."""
    return _run("wg", "genkey").strip()


def public_key_of(private_key: str) -> str:
    """The public half of a private key. Raises WireGuardError."""
    return _run("wg", "pubkey", stdin=private_key + "\n").strip()


def set_private_key(interface: str, private_key: str) -> None:
    """Be somebody else from now on: every session ends, the next packet makes a handshake with the new key."""
    _run("wg", "set", interface, "private-key", "/dev/stdin", stdin=private_key + "\n")


def set_address(interface: str, address: str) -> None:
    """Have this address ("a.b.c.d/nn") and no other on the interface."""
    _run(
        "ip",
        "-batch",
        "-",
        stdin=f"address flush dev {interface} scope global\naddress add {address} dev {interface}\n",
    )


def set_peer(interface: str, peer: TunnelPeer) -> None:
    """Add a peer, or change what is known of it; other peers notice nothing (wg(8): set). Raises WireGuardError.

    Its endpoint is an address: wg(8) would look a name up, for as long as that takes.
    """
    _run("wg", "set", interface, *_arguments(peer))


def _arguments(peer: TunnelPeer) -> list[str]:
    where = ("endpoint", peer.endpoint) if peer.endpoint else ()
    allowed = f"{peer.address}/32" if peer.address else ""
    return ["peer", peer.public_key, *where, "persistent-keepalive", str(KEEPALIVE_S), "allowed-ips", allowed]


def remove_peer(interface: str, public_key: str) -> None:
    """Remove a peer; one that is not there is no error. Raises WireGuardError."""
    _run("wg", "set", interface, "peer", public_key, "remove")


def peer_keys(interface: str) -> frozenset[str]:
    """The public keys of all peers. Raises WireGuardError."""
    return frozenset(peers(interface))


def peers(interface: str) -> dict[str, SeenPeer]:
    """Every peer as it stands, by public key. Raises WireGuardError."""
    return parse_peers(_run("wg", "show", interface, "dump"))


def handshakes(interface: str) -> dict[str, int]:
    """When each peer was last reached (wall-clock seconds; 0: never). Raises WireGuardError."""
    return {key: peer.handshake_at_s for key, peer in peers(interface).items()}


def set_anew(interface: str, peers: Iterable[TunnelPeer]) -> None:
    """Forget and add peers in one go: the next packet to each starts a handshake at once. Raises WireGuardError."""
    arguments: list[str] = []
    for peer in peers:
        arguments += ["peer", peer.public_key, "remove", *_arguments(peer)]
    _run("wg", "set", interface, *arguments)


def take_down(interface: str) -> None:
    """Remove the interface, and with it the program behind it; none there is no error. Raises WireGuardError."""
    error = _try("ip", "link", "delete", interface) if is_up(interface) else ""
    if error and is_up(interface):
        raise WireGuardError(f"ip link delete {interface}: {error}")


def _start_wireguard_go(interface: str) -> None:
    if not TUN.exists():
        TUN.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.mknod(TUN, 0o600 | stat.S_IFCHR, os.makedev(*TUN_DEVICE))
        except OSError as error:
            raise WireGuardError(f"no WireGuard in the kernel, and {TUN} cannot be made: {error.strerror}") from error
    control = CONTROL_DIRECTORY / f"{interface}.sock"
    control.unlink(missing_ok=True)
    try:
        process = subprocess.Popen(
            ["wireguard-go", "-f", interface],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "WG_PROCESS_FOREGROUND": "1", "LOG_LEVEL": "error"},
        )
    except OSError as error:
        raise WireGuardError(f"no WireGuard in the kernel, and wireguard-go cannot be executed: {error}") from error
    deadline_s = monotonic() + START_TIMEOUT_S
    while not _listens(control):
        code = process.poll()
        if code is not None:
            raise WireGuardError(f"wireguard-go ended with {code}")
        if monotonic() > deadline_s:
            process.kill()
            process.wait()
            raise WireGuardError(f"wireguard-go does not listen at {control} within {START_TIMEOUT_S:g} s")
        sleep(0.002)
    process.returncode = 0  # it outlives this daemon: silences Popen's warning about a process still running


def _listens(control: Path) -> bool:
    """Whether wg would be answered. The socket's file appears a moment earlier, and wg would then ask the kernel."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(control))
        except OSError:
            return False
    return True


def _try(*command: str) -> str:
    """Run a command; the empty string when it worked, else its words."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"


def _run(*command: str, stdin: str = "") -> str:
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, timeout=START_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WireGuardError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise WireGuardError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
