"""The program that each server has for the death of another one: run by a real shell, between programs that note it."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from harness.stack.dataservices.failover.on_server import follows_fencing, program_of, who_waits
from harness.stack.dataservices.inventory.core import Inventory, read
from harness.stack.dataservices.plan.core import Check, Command, File
from harness.stack.dataservices.plan.refusal import DEAD_SERVER, told_no_more
from harness.stack.dataservices.postgresql.takeover import leads_no_more
from tests.stack.dataservices.servers import K3S, POSTGRESQL, RABBITMQ, SMALL

LED_BY_PG_01 = '"Revision" : 7\n"Value" : "pg-01"\n"Lease" : 26\n"Count" : 1\n'
REFUSED = "60: from all to 10.0.0.11 ipproto tcp unreachable"
LED_BY_NOBODY = '"Revision" : 8\n"Count" : 0\n'
# `ip rule` keeps a table, in which nothing is twice; `etcdctl` a leader until its lease is revoked.
_IP = """\
#!/bin/sh
touch rules
line="60: from all to $7 ipproto tcp unreachable"
case "$*" in
    "-4 rule add priority 60 to "*) [ ! -e no-rules ] && ! grep -qxF "$line" rules && echo "$line" >>rules ;;
    "-4 rule del priority 60 to "*) grep -qxF "$line" rules || exit 2; grep -vxF "$line" rules >left; mv left rules ;;
    "-4 rule show") cat rules ;;
    *) exit 9 ;;
esac
"""
_SS = '#!/bin/sh\necho "$*" >>ended\n'
_ETCDCTL = f"""\
#!/bin/sh
case "$*" in
    *" get "*) cat leader ;;
    *"lease revoke "*) echo "$*" >>revoked; printf '{LED_BY_NOBODY}' >leader ;;
esac
"""


class Room:
    """A server's folder: its program, and what its programs have noted."""

    def __init__(self, folder: Path, table: str, server: str) -> None:
        self.folder, self.inventory = folder, read(table)
        for name, text in (("ip", _IP), ("ss", _SS), ("etcdctl", _ETCDCTL), ("dead-server", self._program(server))):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        (folder / "leader").write_text(LED_BY_PG_01)

    def _program(self, server: str) -> str:
        return program_of(self.inventory.named(server), self.inventory, leads_no_more)

    def told(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """The program is called so."""
        return subprocess.run(
            ["./dead-server", *words],
            cwd=self.folder,
            env={"PATH": f"{self.folder}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )

    def noted(self, what: str) -> list[str]:
        """The lines of one of the notes."""
        file = self.folder / what
        return file.read_text().splitlines() if file.exists() else []


def test_a_survivor_refuses_the_dead_address_and_revokes_its_lease_also_when_told_again(tmp_path: Path) -> None:
    room = Room(tmp_path, POSTGRESQL, "pg-02")
    for _ in range(2):
        done = room.told("fenced", "pg-01")
        assert (done.returncode, done.stdout) == (0, "pg-01 refuses, and leads no more\n"), done.stderr
    assert room.noted("rules") == [REFUSED]
    assert room.noted("ended") == ["-K dst 10.0.0.11"] * 2
    assert [line.rpartition(" ")[2] for line in room.noted("revoked")] == ["1a"]
    for _ in range(2):
        done = room.told("returned", "pg-01")
        assert (done.returncode, done.stdout) == (0, "pg-01 is reached as ever\n"), done.stderr
    assert room.noted("rules") == []


def test_who_leads_instead_keeps_his_lease(tmp_path: Path) -> None:
    room = Room(tmp_path, POSTGRESQL, "pg-02")
    assert room.told("fenced", "pg-03").returncode == 0
    assert room.noted("revoked") == []


@pytest.mark.parametrize(("table", "server", "dead"), [(POSTGRESQL, "lb-01", "pg-01"), (RABBITMQ, "mq-02", "mq-01")])
def test_balancers_and_rabbitmq_refuse_and_ask_no_etcd(tmp_path: Path, table: str, server: str, dead: str) -> None:
    room = Room(tmp_path, table, server)
    assert room.told("fenced", dead).stdout == f"{dead} refuses\n"
    assert room.noted("rules") == [REFUSED]
    assert room.noted("revoked") == []


def test_a_lease_is_revoked_although_the_address_does_not_refuse_and_that_is_said(tmp_path: Path) -> None:
    room = Room(tmp_path, POSTGRESQL, "pg-02")
    (tmp_path / "no-rules").touch()
    done = room.told("fenced", "pg-01")
    assert (done.returncode, done.stderr) == (1, "pg-01: not so: does not refuse\n")
    assert len(room.noted("revoked")) == 1


def test_of_whom_nobody_here_waits_for_nothing_is_done(tmp_path: Path) -> None:
    room = Room(tmp_path, K3S, "pg-02")
    for words in (("fenced", "w-01"), ("returned", "w-01"), ("fenced", "pg-02")):
        done = room.told(*words)
        assert (done.returncode, done.stdout) == (0, f"nothing here waits for {words[1]}\n")
    assert room.noted("rules") == []


@pytest.mark.parametrize("words", [(), ("fenced",), ("dead", "pg-01"), ("fenced", "")])
def test_a_call_that_makes_no_sense_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = Room(tmp_path, POSTGRESQL, "pg-02").told(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "fenced|returned NAME" in done.stderr


def test_it_begins_and_ends_in_a_moment(tmp_path: Path) -> None:
    """Somebody waits for it; measured without the time of etcd."""
    room = Room(tmp_path, POSTGRESQL, "pg-02")
    took_s = []
    for _ in range(5):
        begun_s = time.monotonic()
        room.told("fenced", "pg-01")
        took_s.append(time.monotonic() - begun_s)
    assert min(took_s) < 0.5


# --- how sfha comes to tell it ---


def sfha(folder: Path, status: object) -> str:
    """A PATH with an sfha that answers so; what it is told to tell is in its status once it has reloaded."""
    (folder / "status").write_text(json.dumps(status, indent=2))
    program = folder / "sfha"
    program.write_text(
        """#!/bin/sh
cd "$(dirname "$0")"
case "$*" in
    "stonith status --json") cat status ;;
    "stonith notify --json") printf '{\\n  "ok": true,\\n  "program": "%s"\\n}' "$(cat file 2>/dev/null)" ;;
    "stonith notify --none") : >file ;;
    "stonith notify "*) printf %s "$3" >file ;;
    reload) sed -i "s|\\"notify\\": .*|\\"notify\\": \\"$(cat file)\\"|" status ;;
    *) exit 9 ;;
esac
"""
    )
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def shell(path: str, command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["sh", "-c", command], env={"PATH": path}, capture_output=True, text=True, check=False)


def status_of(*configured: str, notify: str | None = None) -> object:
    nodes = [{"name": name, "configured": name in configured} for name in ("pg-01", "pg-02", "pg-03", "lb-01")]
    return {"enabled": True, "nodes": nodes, "notify": notify}


def knows(inventory: Inventory) -> str:
    (check,) = follows_fencing(inventory, leads_no_more).stages[0].actions["pg-02"]
    assert isinstance(check, Check)
    return check.command


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (status_of("pg-01", "pg-02", "pg-03"), ""),
        (status_of("pg-01", "pg-03", notify=DEAD_SERVER), ""),
        (status_of("pg-02"), "sfha cannot fence pg-01, pg-03: stonith.nodes has to have the names of servers.tsv"),
        (
            status_of("pg-01", "pg-03", notify="/opt/other"),
            f"sfha tells /opt/other already: have that call {DEAD_SERVER}",
        ),
    ],
)
def test_sfha_has_to_know_the_others_and_tell_nothing_else(tmp_path: Path, status: object, why: str) -> None:
    done = shell(sfha(tmp_path, status), knows(read(POSTGRESQL)))
    assert (done.returncode, done.stderr.strip()) == (int(bool(why)), why)


def test_sfha_tells_the_program_until_the_server_is_cleaned(tmp_path: Path) -> None:
    path = sfha(tmp_path, status_of("pg-01", "pg-03"))
    (does,) = follows_fencing(read(POSTGRESQL), leads_no_more).stages[2].actions["pg-02"]
    assert isinstance(does, Command)
    undone = told_no_more()
    for command, so in ((does, does.done_when), (undone, undone.done_when)):
        assert shell(path, so).returncode == 1
        assert shell(path, command.command).returncode == 0
        assert shell(path, so).returncode == 0
    (tmp_path / "file").write_text("/opt/other")
    assert shell(path, undone.done_when).returncode == 0
    assert shell("/usr/bin:/bin", undone.done_when).returncode == 0  # where there is no sfha at all


@pytest.mark.parametrize(
    ("table", "concerned"),
    [
        (POSTGRESQL, {"pg-01", "pg-02", "pg-03", "lb-01", "lb-02"}),
        (RABBITMQ, {"mq-01", "mq-02", "mq-03", "lb-01", "lb-02"}),
        (K3S, {"pg-01", "pg-02", "pg-03", "lb-01", "lb-02"}),
    ],
)
def test_whoever_would_wait_has_the_program(table: str, concerned: set[str]) -> None:
    plan = follows_fencing(read(table), leads_no_more)
    assert set(plan.servers) == concerned
    (needs,) = plan.needs
    assert set(needs.actions) == concerned
    files = [one for does in plan.stages[1].actions.values() for one in does if isinstance(one, File)]
    assert {(one.path, one.mode) for one in files} == {(DEAD_SERVER, 0o755)}


def test_nobody_waits_for_itself_nor_for_whom_it_has_nothing_to_do_with() -> None:
    inventory = read(POSTGRESQL)
    assert [one.name for one in who_waits(inventory.named("pg-01"), inventory)] == ["pg-02", "pg-03", "lb-01", "lb-02"]
    assert not follows_fencing(read(SMALL), leads_no_more).servers
