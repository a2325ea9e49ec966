"""The WireGuard interface: the kernel's where there is one, else wireguard-go (wireguard-go(8), wg(8))."""

import os
import socket
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path
from time import monotonic, sleep

from .core import KEEPALIVE_S, SeenPeer, TunnelPeer, parse_peers

CONTROL_DIRECTORY = Path("/var/run/wireguard")
TUN = Path("/dev/net/tun")
TUN_DEVICE = (10, 200)
START_TIMEOUT_S = 5.0


class WireGuardError(Exception):
    """The tunnel cannot be brought up; the message holds the tool's own words."""


def bring_up(interface: str, address: str, mtu: int, setconf: str) -> str:
    """Have the interface up and configured; returns "kernel", "wireguard-go" or "kept" (it was there).

    An interface that exists is told only what changed, so that a daemon's restart does not disturb the tunnel.
    Raises WireGuardError.
    """
    if is_up(interface):
        _run("wg", "syncconf", interface, "/dev/stdin", stdin=setconf)
        return "kept"
    how = "kernel"
    if _try("ip", "link", "add", interface, "type", "wireguard"):
        _start_wireguard_go(interface)
        how = "wireguard-go"
    _run("wg", "setconf", interface, "/dev/stdin", stdin=setconf)
    batch = f"address replace {address} dev {interface}\nlink set {interface} mtu {mtu} up\n"
    _run("ip", "-batch", "-", stdin=batch)
    return how


def is_up(interface: str) -> bool:
    """Whether the interface is there."""
    return Path(f"/proc/sys/net/ipv4/conf/{interface}").exists()


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
