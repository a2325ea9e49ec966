"""Which lease is revoked: run by a real shell, against what a real etcd answers, word for word."""

import subprocess
from pathlib import Path

import pytest

from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Command
from harness.stack.dataservices.postgresql.takeover import leads_no_more
from tests.stack.dataservices.servers import POSTGRESQL

DEAD = read(POSTGRESQL).named("pg-01")
HEAD = '"ClusterID" : 9117094107\n"MemberID" : 1271892\n"Revision" : 371\n"RaftTerm" : 2\n'
TAIL = '"More" : false\n"Count" : {count}\n'
LED_BY = (
    '"Key" : "/service/keyservices/leader"\n"CreateRevision" : 21\n"ModRevision" : 21\n"Version" : 1\n'
    '"Value" : "{name}"\n"Lease" : 7587883120512894226\n'
)
LEASE = f"{7587883120512894226:x}"


def etcdctl(folder: Path, answer: str | None) -> str:
    """A PATH with an etcdctl that answers so (None: fails), until a lease is revoked."""
    (folder / "answer").write_text(answer or "")
    program = folder / "etcdctl"
    program.write_text(
        f"""#!/bin/sh
case "$*" in
    *" get "*) {f"cat {folder}/answer" if answer is not None else "exit 1"} ;;
    *"lease revoke "*) echo "$*" >>{folder}/revoked; printf '%s' '{HEAD}{TAIL.format(count=0)}' >{folder}/answer ;;
esac
"""
    )
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def told(folder: Path, answer: str | None) -> tuple[int, list[str], bool]:
    """Exit code, what was revoked, and whether it is so in the end."""
    (does,) = leads_no_more(DEAD)
    assert isinstance(does, Command)
    environment = {"PATH": etcdctl(folder, answer)}
    command = does.command.replace("left=200", "left=2")
    done = subprocess.run(["sh", "-c", command], env=environment, check=False, timeout=20)
    so = subprocess.run(["sh", "-c", does.done_when], env=environment, check=False, stdout=subprocess.DEVNULL)
    revoked = folder / "revoked"
    return done.returncode, revoked.read_text().splitlines() if revoked.exists() else [], so.returncode == 0


def test_the_lease_of_the_dead_leader_is_revoked(tmp_path: Path) -> None:
    code, revoked, so = told(tmp_path, HEAD + LED_BY.format(name="pg-01") + TAIL.format(count=1))
    assert (code, so) == (0, True)
    assert [line.rpartition("lease revoke ")[2] for line in revoked] == [LEASE]


@pytest.mark.parametrize("name", ["pg-02", "pg-011"])
def test_another_leader_keeps_his(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, HEAD + LED_BY.format(name=name) + TAIL.format(count=1)) == (0, [], True)


def test_where_nobody_leads_there_is_nothing_to_revoke(tmp_path: Path) -> None:
    assert told(tmp_path, HEAD + TAIL.format(count=0)) == (0, [], True)


@pytest.mark.parametrize("answer", [None, ""])
def test_an_etcd_that_does_not_answer_is_no_success(tmp_path: Path, answer: str | None) -> None:
    assert told(tmp_path, answer) == (1, [], False)
