"""A WireGuard interface: the kernel's where there is one, else wireguard-go (wireguard-go(8), wg(8))."""

import os
import socket
import stat
import subprocess
from pathlib import Path
from time import monotonic, sleep

from .messages import Message
from .wireguard_peers import SeenPeer, parse_peers

CONTROL_DIRECTORY = Path("/var/run/wireguard")
TUN = Path("/dev/net/tun")
TUN_DEVICE = (10, 200)
START_TIMEOUT_S = 5.0


class WireGuardError(Exception):
    """The tunnel cannot be brought up; the message holds the tool's own words, or says what is in the way."""

    def __init__(self, why: Message | str) -> None:
        super().__init__(why)
        self.why = why


def make(interface: str) -> str:
    """Have the interface, without any configuration; returns "kernel" or "wireguard-go". Raises WireGuardError."""
    if not tried("ip", "link", "add", interface, "type", "wireguard"):
        return "kernel"
    _start_wireguard_go(interface)
    return "wireguard-go"


def made_by(interface: str) -> str:
    """Whose tunnel it is: "wireguard-go", a program that answers for the interface, or the "kernel"."""
    return "wireguard-go" if _listens(CONTROL_DIRECTORY / f"{interface}.sock") else "kernel"


def is_up(interface: str) -> bool:
    """Whether the interface is there."""
    return Path(f"/proc/sys/net/ipv4/conf/{interface}").exists()


def new_private_key() -> str:
    """A fresh private key. Raises WireGuardError."""
    return run("wg", "genkey").strip()


def public_key_of(private_key: str) -> str:
    """The public half of a private key. Raises WireGuardError."""
    return run("wg", "pubkey", stdin=private_key + "\n").strip()


def set_private_key(interface: str, private_key: str) -> None:
    """Be somebody else from now on: every session ends, the next packet makes a handshake with the new key."""
    run("wg", "set", interface, "private-key", "/dev/stdin", stdin=private_key + "\n")


def peers(interface: str) -> dict[str, SeenPeer]:
    """Every peer as it stands, by public key. Raises WireGuardError."""
    return parse_peers(run("wg", "show", interface, "dump"))


def take_down(interface: str) -> None:
    """Remove the interface, and with it the program behind it; none there is no error. Raises WireGuardError."""
    error = tried("ip", "link", "delete", interface) if is_up(interface) else ""
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


def tried(*command: str) -> str:
    """Run a command; the empty string when it worked, else its words."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"


def run(*command: str, stdin: str = "") -> str:
    """What a command says. Raises WireGuardError with its words."""
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, timeout=START_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WireGuardError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise WireGuardError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
