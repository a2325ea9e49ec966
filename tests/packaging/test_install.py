"""The package on a Debian system without a network: install, use, upgrade, remove, purge."""

from collections.abc import Callable
from pathlib import Path

from harness.stack.sfha import VERSION
from tests.packaging.conftest import System

# What dpkg itself and Python's byte code leave, and nothing else.
LIST_FILES = """find / -xdev -path /proc -prune -o -path /run -prune -o -path /mnt -prune -o -path /tmp -prune \
    -o -path /var/lib/dpkg -prune -o -path /var/log -prune -o -path /var/cache -prune -o -print | sort"""


def test_it_installs_without_a_network_and_works(system: System, package: Path) -> None:
    said = system.install(package)
    assert "error" not in said.lower()
    assert "warning" not in said.lower()
    assert system.run("sfha --version").strip() == f"sfha {VERSION}"
    system.run("sfha config-example > /etc/sfha/config.yml && sfha config-check --no-mesh")
    assert "no daemon answers" in system.run("sfha status", code=1)
    assert "aucun démon ne répond" in system.run("LANG=fr_FR.UTF-8 sfha standby", code=1)
    assert system.run("ls -d /usr/lib/sfha/sfha/__pycache__").strip(), "compiled at install"
    assert system.run("stat -c '%a %U' /etc/sfha").strip() == "700 root"


def test_an_upgrade_keeps_the_configuration(system: System, package: Path, newer_package: Path) -> None:
    system.install(package)
    system.run("echo secret > /etc/sfha/mesh.json; echo weekly >> /etc/logrotate.d/sfha")
    said = system.install(newer_package)
    assert "99.0" in system.run("dpkg-query -W sfha")
    assert "error" not in said.lower()
    assert system.run("cat /etc/sfha/mesh.json") == "secret\n"
    assert system.run("tail -n 1 /etc/logrotate.d/sfha") == "weekly\n"
    assert "still a member" not in said
    back = system.run(f"dpkg --install /mnt/{package.name}")
    assert "downgrading" in back


def test_removing_keeps_the_configuration_and_purging_leaves_nothing(system: System, package: Path) -> None:
    before = system.run(LIST_FILES).splitlines()
    system.install(package)
    system.run("sfha config-example > /etc/sfha/config.yml; echo {} > /etc/sfha/mesh.json")
    system.run("mkdir -p /var/lib/sfha; touch /var/lib/sfha/fences /var/log/sfha-console.log")
    system.run("touch /var/log/sfha.log /var/log/sfha.log.1.gz")
    system.run("mkdir -p /etc/wireguard; touch /etc/wireguard/wg-sfha.conf; sfha --help > /dev/null")
    said = system.run("dpkg --remove sfha")
    assert "still a member of its cluster" in said
    assert system.run("ls /etc/sfha").split() == ["config.yml", "mesh.json"]
    assert "sfha: not found" in system.run("sfha status", code=127)
    system.run("dpkg --purge sfha")
    after = system.run(LIST_FILES).splitlines()
    assert [path for path in after if path not in before and path != "/etc/wireguard"] == []
    gone = [path for path in before if path not in after]
    assert [path for path in gone if not path.endswith(".wants")] == [], "empty folders of links may go with the last"
    assert system.run("ls /var/log | grep sfha || true") == ""


def test_removal_stops_the_daemon_where_there_is_no_systemd(system: System, package: Path) -> None:
    system.install(package)
    # What answers to the pid file here is not the daemon but looks like it: the script must end it, and wait.
    said = system.run(
        """mkdir -p /run/sfha
        sh -c 'trap "echo told to stop; exit 0" TERM; while :; do sleep 0.05; done' sfha &
        echo $! > /run/sfha/sfha.pid
        dpkg --remove sfha
        wait"""
    )
    assert "told to stop" in said


def test_a_broken_unpack_can_be_repaired(new_system: Callable[[], System], package: Path, newer_package: Path) -> None:
    """Half-way states that apt can leave: unpacked but not configured, also over an older one."""
    system = new_system()
    system.install(package)
    (system.shared / newer_package.name).write_bytes(newer_package.read_bytes())
    system.run(f"dpkg --unpack /mnt/{newer_package.name}")
    system.run("dpkg --configure --pending")
    assert "ii  99.0" in system.run("dpkg-query -W -f '${db:Status-Abbrev} ${Version}\\n' sfha")
