"""The rules in a real kernel: who gets in is asked by connecting, from addresses of every kind."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stack.dataservices.base.core import admits, doors_of, ruleset
from harness.stack.dataservices.inventory.core import Inventory, read
from harness.stack.dataservices.modules import MODULES
from tests.stack.dataservices.base.rooms import PROGRAMS, run_in
from tests.stack.dataservices.servers import of_every_role, small
from tests.stack.sfha.kernel.kernel_rooms import Room, wait_until_reached

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("nft") is None, reason="needs root and nft")
SERVER = "10.0.0.12"
STRANGER = "10.0.0.99"
FIREWALL = str(PROGRAMS / "firewall.sh")
OPENINGS = [opening for module in MODULES for opening in module.footprint.openings]


SIXES = """name\trole\taddress\tsite
install\tinstaller\t2001:db8::1\tparis
redis-1\tredis\t2001:db8::11\tparis
redis-2\tredis\t10.0.0.12\tparis
redis-3\tredis\t2001:db8::13\tparis
"""


@pytest.fixture
def server() -> Iterator[Room]:
    """It has redis-02's address."""
    room = Room()
    yield room
    room.close()


@pytest.fixture
def others(server: Room) -> Iterator[Room]:
    """Everybody else's addresses, a stranger's too, on one interface beside the server."""
    room = Room()
    server.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", str(room.thread_id))
    server.ip("address", "add", f"{SERVER}/24", "dev", "eth0")
    for one in small().servers:
        if one.address != SERVER:
            room.ip("address", "add", f"{one.address}/24", "dev", "eth0")
    room.ip("address", "add", f"{STRANGER}/24", "dev", "eth0")
    for each in (server, room):
        each.ip("link", "set", "eth0", "up")
        each.ip("link", "set", "lo", "up")
    room.call(wait_until_reached, SERVER)
    yield room
    room.close()


def listening(room: Room, *ports: int) -> list[socket.socket]:
    """Sockets of the room, which stay in it."""
    return [room.call(socket.create_server, ("", port)) for port in ports]


def gets_in(room: Room, source: str, port: int) -> bool:
    """Whether a connection from this address is made; where nothing answers, it is not."""

    def knock() -> bool:
        with contextlib.suppress(TimeoutError):
            socket.create_connection((SERVER, port), timeout=0.4, source_address=(source, 0)).close()
            return True
        return False

    return room.call(knock)


def rules_of(inventory: Inventory, name: str, folder: Path) -> Path:
    """The file of a server's rules."""
    path = folder / f"{name}.nft"
    path.write_text(ruleset(doors_of(inventory.named(name), inventory, OPENINGS)))
    return path


@pytest.mark.promise("S4-21", "S4-22")
def test_who_is_meant_gets_in_and_nobody_else(server: Room, others: Room, tmp_path: Path) -> None:
    inventory = small()
    doors = doors_of(inventory.named("redis-02"), inventory, OPENINGS)
    ports, sources = (22, 6379, 26379, 5432), (*(one.address for one in inventory.servers if one.name != "redis-02"),)
    sockets = listening(server, *ports)
    assert all(gets_in(others, source, port) for source in (*sources, STRANGER) for port in ports)
    done = run_in(server, tmp_path, "sh", FIREWALL, "load", str(rules_of(inventory, "redis-02", tmp_path)))
    assert done.returncode == 0, done.stderr
    got_in = {(source, port) for source in (*sources, STRANGER) for port in ports if gets_in(others, source, port)}
    meant = {(source, port) for source in sources for port in ports if admits(doors, source, port)}
    assert got_in == meant
    assert ("10.0.0.1", 22) in meant
    assert ("10.0.0.11", 26379) in meant
    assert not {source for source, port in meant if port == 5432}
    server.call(lambda: socket.create_connection(("127.0.0.1", 5432), timeout=1).close())  # itself
    for one in sockets:
        one.close()


def test_what_was_connected_before_stays_connected(server: Room, others: Room, tmp_path: Path) -> None:
    (listener,) = listening(server, 5432)
    before = others.call(lambda: socket.create_connection((SERVER, 5432), timeout=1, source_address=("10.0.0.1", 0)))
    taken, _ = listener.accept()
    run_in(server, tmp_path, "sh", FIREWALL, "load", str(rules_of(small(), "redis-02", tmp_path)))
    before.settimeout(2)
    taken.sendall(b"still here")  # an answer: this connection is known from both sides
    assert before.recv(100) == b"still here"
    assert not gets_in(others, "10.0.0.1", 5432)
    for one in (before, taken, listener):
        one.close()


def test_rules_count_all_at_once_or_not_at_all(server: Room, tmp_path: Path) -> None:
    good = rules_of(small(), "redis-02", tmp_path)
    broken = tmp_path / "broken.nft"
    broken.write_text(good.read_text().replace("accept\n    }", "acept\n    }"))
    assert run_in(server, tmp_path, "sh", FIREWALL, "load", str(good)).returncode == 0
    before = run_in(server, tmp_path, "nft", "list", "ruleset").stdout
    assert run_in(server, tmp_path, "sh", FIREWALL, "load", str(broken)).returncode != 0
    assert run_in(server, tmp_path, "nft", "list", "ruleset").stdout == before
    assert run_in(server, tmp_path, "sh", FIREWALL, "in-force", str(good)).returncode == 0
    assert run_in(server, tmp_path, "sh", FIREWALL, "in-force", str(broken)).returncode != 0


def test_whoever_changes_a_rule_by_hand_is_noticed(server: Room, tmp_path: Path) -> None:
    good = rules_of(small(), "redis-02", tmp_path)

    def in_force() -> bool:
        return run_in(server, tmp_path, "sh", FIREWALL, "in-force", str(good)).returncode == 0

    assert not in_force()
    run_in(server, tmp_path, "sh", FIREWALL, "load", str(good))
    assert in_force()
    for change in ("add rule inet keyservices input tcp dport 1 accept", "delete table inet keyservices"):
        assert run_in(server, tmp_path, "nft", *change.split()).returncode == 0
        assert not in_force()
        run_in(server, tmp_path, "sh", FIREWALL, "load", str(good))
        assert in_force()


def test_tables_of_others_stay_as_they_are(server: Room, tmp_path: Path) -> None:
    for command in ("add table inet theirs", "add chain inet theirs input", "add table ip keyservices"):
        assert run_in(server, tmp_path, "nft", *command.split()).returncode == 0
    theirs = run_in(server, tmp_path, "nft", "list", "ruleset").stdout
    run_in(server, tmp_path, "sh", FIREWALL, "load", str(rules_of(small(), "redis-02", tmp_path)))
    assert run_in(server, tmp_path, "nft", "list", "ruleset").stdout != theirs
    assert run_in(server, tmp_path, "sh", FIREWALL, "undo", str(tmp_path / "never-kept")).returncode == 0
    assert run_in(server, tmp_path, "nft", "list", "ruleset").stdout == theirs
    assert run_in(server, tmp_path, "sh", FIREWALL, "undo", str(tmp_path / "never-kept")).returncode == 0


def test_undone_are_new_rules_and_not_those_that_were_kept(server: Room, tmp_path: Path) -> None:
    kept, tried = (rules_of(small(), name, tmp_path) for name in ("redis-02", "lb-01"))
    run_in(server, tmp_path, "sh", FIREWALL, "load", str(tried))
    run_in(server, tmp_path, "sh", FIREWALL, "undo", str(kept))
    assert run_in(server, tmp_path, "sh", FIREWALL, "in-force", str(kept)).returncode == 0


def test_the_rules_of_every_role_are_rules(server: Room, tmp_path: Path) -> None:
    """nft itself reads them; also of servers with addresses of version 6."""
    for inventory, one in ((each, one) for each in (of_every_role(), read(SIXES)) for one in each.servers):
        done = run_in(server, tmp_path, "nft", "-c", "-f", str(rules_of(inventory, one.name, tmp_path)))
        assert (done.returncode, done.stderr) == (0, ""), one.name


def test_what_is_checked_here_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "x.nft"
    path.write_text("table inet keyservices { chain input { tcp dport { 22 acept } } }\n")
    assert subprocess.run(["nft", "-c", "-f", str(path)], capture_output=True, check=False).returncode != 0
