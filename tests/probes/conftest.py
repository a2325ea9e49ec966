"""A small real LAN: one private namespace with a bridge, and nodes and a client plugged into it."""

import subprocess
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.history import FILE_NAME, Kind, events_in
from harness.probes.workload_process import Clients

VIP = "10.99.0.100"


def shell(pid: int, script: str) -> None:
    """Run shell commands in the network namespace of a process."""
    subprocess.run(["nsenter", "-t", str(pid), "-n", "sh", "-ec", script], check=True, capture_output=True)


@dataclass
class Host:
    """A network namespace with one interface, eth0, kept by a sleeping process."""

    name: str
    process: subprocess.Popen[bytes]
    mac: str = ""

    @property
    def pid(self) -> int:
        """The process that keeps the namespace."""
        return self.process.pid

    @property
    def namespace(self) -> Path:
        """Where to enter it."""
        return Path(f"/proc/{self.pid}/ns/net")

    def run(self, script: str) -> None:
        """Run shell commands in it."""
        shell(self.pid, script)

    def kill(self) -> None:
        """End the process, and with it the namespace."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


@dataclass
class Lan:
    """A bridge in a namespace of its own; hosts are plugged in as 10.99.0.N."""

    switch: Host
    hosts: list[Host] = field(default_factory=list)

    def add(self, name: str, number: int) -> Host:
        """Start a host and plug it in."""
        host = Host(name, _in_new_namespace(), f"02:00:00:00:00:{number:02x}")
        self.hosts.append(host)
        shell(
            self.switch.pid,
            f"ip link add {name} type veth peer name eth0 netns {host.pid}; ip link set {name} master br0 up",
        )
        host.run(
            f"sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip link set lo up; ip link set eth0 address {host.mac} up;"
            f"ip address add 10.99.0.{number}/24 dev eth0"
        )
        return host

    def unplug(self, host: Host) -> None:
        """Take the host's port away."""
        shell(self.switch.pid, f"ip link delete {host.name}")


def _in_new_namespace() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        ["unshare", "-n", "sh", "-c", "echo up; exec sleep 600"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def lan() -> Iterator[Lan]:
    """A LAN with nothing on it."""
    built = Lan(Host("switch", _in_new_namespace()))
    shell(built.switch.pid, "ip link add br0 type bridge forward_delay 0; ip link set br0 up")
    yield built
    for host in [*built.hosts, built.switch]:
        host.kill()


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Where the run under test records."""
    return tmp_path / FILE_NAME


def seen(history: Path, *kinds: type[Kind]) -> list[Kind]:
    """The events of these kinds recorded so far, each as it was written, in time order."""
    return sorted((event for event in events_in(history) if isinstance(event, kinds)), key=lambda event: event.t_s)


def written(clients: Clients, *, after_s: float = 0.0) -> Callable[[], Awaitable[float | None]]:
    """The condition that a write was acknowledged after a time."""
    return lambda: clients.first_acknowledged_after(after_s)
