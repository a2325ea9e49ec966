"""The command line, as people call it."""

import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.stack.dataservices.servers import GALERA, K3S, POSTGRESQL, PROXYSQL, SMALL


def keyservices(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Call it with an inventory and a home of its own."""
    if not (home / "servers.tsv").exists():
        (home / "servers.tsv").write_text(SMALL)
    command = [sys.executable, "-m", "harness.stack.dataservices", "--inventory", str(home / "servers.tsv")]
    return subprocess.run([*command, "--home", str(home), *words], capture_output=True, text=True, check=False)


def test_check_says_who_is_there_and_what_for(tmp_path: Path) -> None:
    done = keyservices(tmp_path, "check")
    assert done.returncode == 0, done.stderr
    assert "haproxy: lb-01 (paris), lb-02 (lyon)\n" in done.stdout
    assert "module 4: Redis HA\n" in done.stdout


@pytest.mark.parametrize("name", ["servers.tsv", "openings.tsv", "devices.tsv"])
def test_a_table_that_is_no_text_in_utf_8_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "servers.tsv").write_text(SMALL)
    (tmp_path / name).write_bytes("one\ntwo à\n".encode("latin-1"))
    done = keyservices(tmp_path, *(("cleanup", "--all", "--dry-run") if name == "devices.tsv" else ("check",)))
    assert done.returncode == 2
    table = tmp_path / name
    assert done.stderr == f"keyservices: {table}:2: not text in UTF-8 (byte 0xe0); save it as UTF-8, with tabs\n"


def test_the_mark_that_spreadsheets_write_is_none_of_the_first_column(tmp_path: Path) -> None:
    (tmp_path / "servers.tsv").write_text("\ufeff" + SMALL, encoding="utf-8")
    assert keyservices(tmp_path, "check").returncode == 0


def test_a_wrong_inventory_is_exit_code_2_and_a_line_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "servers.tsv").write_text(SMALL.replace("10.0.0.12", "nowhere").replace("lille", "Lille!"))
    done = keyservices(tmp_path, "check")
    assert done.returncode == 2
    assert [line.split(": ")[1].rpartition("/")[2] for line in done.stderr.splitlines()] == [
        "servers.tsv:5:3",
        "servers.tsv:6:4",
    ]


def test_a_dry_run_prints_the_plan_and_makes_nothing(tmp_path: Path) -> None:
    done = keyservices(tmp_path, "install", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "redis: haproxy and watcher\n" in done.stdout
    assert "  lb-02: unit sentinel-watcher.service runs with " in done.stdout
    assert [one.name for one in tmp_path.iterdir()] == ["servers.tsv"]


def test_a_dry_run_says_what_is_decided_only_when_servers_have_been_asked(tmp_path: Path) -> None:
    (tmp_path / "servers.tsv").write_text(GALERA)
    done = keyservices(tmp_path, "install", "--dry-run")
    assert done.returncode == 0, done.stderr
    asked = done.stdout.partition("galera: galera\n")[2].splitlines()
    assert asked[0].startswith("  db-01: tell ")
    assert asked[3] == "  what follows is decided by what they say"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ("install", "--module", "rediss"),
            "5 rabbitmq, 6 objects, 7 galera, 8 proxysql, 9 k3s, 10 apps, 11 n8n",
        ),
        (("install", "--from", "12"), "the inventory has servers for no module"),
        (("--inventory", "/nowhere", "check"), "/nowhere: No such file or directory"),
        (("instal",), "invalid choice"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    done = keyservices(tmp_path, *words)
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_opened_besides_is_in_the_rules_and_a_mistake_in_it_is_one_line(tmp_path: Path) -> None:
    table = tmp_path / "openings.tsv"
    before = keyservices(tmp_path, "install", "--module", "base", "--dry-run").stdout
    table.write_text("role\tports\tprotocol\tfrom\nredis\t9121\ttcp\t192.0.2.0/28\n")
    after = keyservices(tmp_path, "install", "--module", "base", "--dry-run").stdout
    changed = set(after.splitlines()) ^ set(before.splitlines())
    assert {line.split()[0] for line in changed} == {"redis-01:", "redis-02:", "redis-03:"}
    table.write_text("role\tports\tprotocol\tfrom\nredis\t9121\tTCP\t192.0.2.0/28\n")
    for words in (("check",), ("install", "--dry-run")):
        done = keyservices(tmp_path, *words)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert "openings.tsv:2:3: 'TCP' is neither tcp nor udp" in done.stderr


def test_a_cleanup_is_shown_before_it_is_done_and_a_dry_run_does_nothing(tmp_path: Path) -> None:
    done = keyservices(tmp_path, "cleanup", "redis-01", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "  redis-01: nothing at /etc/redis\n" in done.stdout
    assert "redis-02" not in done.stdout
    assert [one.name for one in tmp_path.iterdir()] == ["servers.tsv"]


@pytest.mark.promise("S4-11", "S4-18")
def test_a_cleanup_of_all_is_of_all_that_are_not_protected(tmp_path: Path) -> None:
    lines = [line + "\tno" for line in SMALL.splitlines() if not line.startswith("#")]
    table = "\n".join(lines).replace("site\tno", "site\tprotected").replace("lille\tno", "lille\tyes")
    (tmp_path / "servers.tsv").write_text(table)
    done = keyservices(tmp_path, "cleanup", "--all", "--dry-run")
    assert done.returncode == 0, done.stderr
    named = {line.split(":")[0].strip() for line in done.stdout.splitlines() if line.startswith("  ") and ":" in line}
    assert named == {"redis-01", "redis-02", "lb-01", "lb-02", "install-01"}
    of_installer = [line for line in done.stdout.splitlines() if line.startswith("  install-01:")]
    assert of_installer == [f"  install-01: nothing in {tmp_path}/logs and tmp"]


def _own_address() -> str | None:
    """That from which packets would leave; none is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out, suppress(OSError):
        out.connect(("192.0.2.1", 9))
        return str(out.getsockname()[0])
    return None


@pytest.mark.parametrize("typed", ["", "yes\n", "redis-01\n", "install-1\n"])
def test_without_the_installers_name_nothing_is_cleaned(tmp_path: Path, typed: str) -> None:
    """This machine is the installer."""
    address = _own_address()
    if address is None:
        pytest.skip("this machine has no address that others could reach it by")
    (tmp_path / "servers.tsv").write_text(SMALL.replace("10.0.0.1\t", f"{address}\t"))
    key = tmp_path / "key"
    key.touch(0o600)
    words = ("cleanup", "redis-01", "--key", str(key))
    command = [sys.executable, "-m", "harness.stack.dataservices", "--inventory", str(tmp_path / "servers.tsv")]
    done = subprocess.run(
        [*command, "--home", str(tmp_path), *words], capture_output=True, text=True, check=False, input=typed
    )
    assert done.returncode == 2
    assert "not confirmed: nothing was done" in done.stderr
    assert "Type the name of the installer (install-01)" in done.stdout
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "no server is named"),
        (("redis-01", "redis-09"), "not in the inventory: redis-09"),
        (("install-01",), "protected: install-01"),
        (("--all", "redis-01"), "either --all or names"),
        (("redis-01", "--devices", "/nowhere"), "/nowhere: No such file"),
    ],
)
@pytest.mark.promise("S4-11")
def test_a_cleanup_with_a_mistake_in_it_is_none(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    done = keyservices(tmp_path, "cleanup", *words, "--dry-run")
    assert done.returncode == 2
    assert why in done.stderr


@pytest.mark.promise("S4-05")
@pytest.mark.parametrize("command", ["install", "cleanup lb-01 --yes", "check --reach", "validate"])
def test_nothing_is_begun_on_a_machine_that_is_not_the_installer(tmp_path: Path, command: str) -> None:
    done = keyservices(tmp_path, *command.split())
    assert done.returncode == 2
    assert "this machine has not the address 10.0.0.1" in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["servers.tsv"]


def test_a_program_that_is_nowhere_is_not_shown_here_and_all_else_is_done(tmp_path: Path) -> None:
    objects = "".join(f"store-0{number}\tobjects\t10.0.0.4{number}\tparis\n" for number in (1, 2, 3))
    (tmp_path / "servers.tsv").write_text(PROXYSQL + objects)
    done = keyservices(tmp_path, "install", "--dry-run")
    assert done.returncode == 3
    assert "galera: load balancer\n" in done.stdout
    assert [line.partition(" (")[0] for line in done.stderr.splitlines()] == [
        "keyservices: objects: not shown here: no program of an object store is there",
        "keyservices: proxysql: not shown here: ProxySQL's package is not there",
    ]
    assert "proxysql_*.deb" in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["servers.tsv"]


def test_a_store_that_is_set_and_not_there_is_not_replaced_by_another(tmp_path: Path) -> None:
    objects = "".join(f"store-0{number}\tobjects\t10.0.0.4{number}\tparis\n" for number in (1, 2, 3))
    (tmp_path / "servers.tsv").write_text(SMALL + objects)
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "objects.env").write_text("STORE=minio\n")
    done = keyservices(tmp_path, "install", "--module", "objects", "--dry-run")
    assert done.returncode == 3
    assert "objects: not shown here: minio is set, and its program is not there" in done.stderr


def test_a_dry_run_says_what_nothing_is_begun_without(tmp_path: Path) -> None:
    (tmp_path / "servers.tsv").write_text(K3S)
    done = keyservices(tmp_path, "install", "--dry-run", "--from", "9")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("k3s: not begun without k3s on m-01, m-02, m-03, w-01, w-02\n")
    assert "n8n: not begun without image docker.io/n8nio/n8n:" in done.stdout


def test_applications_are_called_by_names_of_the_domain_beside_the_inventory(tmp_path: Path) -> None:
    (tmp_path / "servers.tsv").write_text(K3S)
    asked = ("install", "--dry-run", "--module", "apps")
    assert " ask 127.0.0.1:80 platform.keyservices.internal / " in keyservices(tmp_path, *asked).stdout
    (tmp_path / "domain").write_text("example.org\n")
    assert " ask 127.0.0.1:80 platform.example.org / " in keyservices(tmp_path, *asked).stdout
    (tmp_path / "domain").write_text("Example org\n")
    done = keyservices(tmp_path, *asked)
    assert done.returncode == 2
    assert done.stderr.endswith("/domain:1: 'Example org' is no domain: labels of lower-case letters, with dots\n")


def test_following_fencing_says_what_it_would_do_and_for_whom_there_is_nothing(tmp_path: Path) -> None:
    none = keyservices(tmp_path, "follow-fencing", "--dry-run")
    assert (none.returncode, none.stdout) == (2, "")
    assert "nobody waits for a dead server where none is of role postgresql or rabbitmq" in none.stderr
    (tmp_path / "servers.tsv").write_text(POSTGRESQL)
    done = keyservices(tmp_path, "follow-fencing", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("follow-fencing: not begun without sfha that fences on pg-01, pg-02, pg-03, lb-01")
    assert "  lb-02: file /usr/local/lib/keyservices/dead-server (0755, " in done.stdout
