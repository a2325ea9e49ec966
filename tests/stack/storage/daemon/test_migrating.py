"""The daemon looks on after the hook has returned, and what came of a migration is in the audit log once."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stack.storage.autonomy.core import Level
from harness.stack.storage.daemon.audit import AuditLog
from harness.stack.storage.daemon.core.chain import entries
from harness.stack.storage.daemon.migrating import Migrating
from harness.stack.storage.mapping.drivers.userspace import Userspace
from harness.stack.storage.mapping.routes import Routes
from tests.stack.storage.daemon.test_peering import Hosts
from tests.stack.storage.hook.test_hook import Target
from tests.stack.waiting import eventually


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    if lacking := Userspace(tmp_path).absent():
        pytest.skip(f"not shown here: {lacking}")
    one = Target(tmp_path)
    yield one
    one.guest_ends()
    assert eventually(lambda: not one.mapper.unmap(one.volume).why, every_s=0.2)


def audited(target: Target) -> list[tuple[str, str]]:
    found = entries(AuditLog(target.places.state / "daemon").content())
    return [(str(one["what"]), str(dict(one["detail"])["mapping"])) for one in found]  # type: ignore[call-overload]


def migrating(target: Target) -> Migrating:
    """As after each start of a daemon."""
    return Migrating(target.places, AuditLog(target.places.state / "daemon"), lambda: "n2", target.pids)


@pytest.mark.promise("S5-22", "S5-63")
def test_it_looks_until_the_source_has_let_go(target: Target) -> None:
    target.declared()
    target.source_has(mapped=True)
    assert not target.mapper.map(target.volume).why
    target.guest_opens(target.mapper.link(target.volume))
    daemon = migrating(target)
    for _ in range(3):
        daemon.look(Level.STORAGE)
    assert [one.state for one in daemon.every] == ["declared"]
    target.source_has(mapped=False)
    migrating(target).look(Level.STORAGE)
    again = migrating(target)
    again.look(Level.STORAGE)
    assert [one.state for one in again.every] == ["complete"]
    link = str(target.mapper.link(target.volume))
    told = audited(target)
    assert [what for what, _ in told] == ["migration declared", "migration_complete"], "each once, also after a restart"
    assert told[1][1].startswith(link)


def test_who_is_not_here_yet_is_not_judged(target: Target) -> None:
    target.declared()
    daemon = migrating(target)
    daemon.look(Level.STORAGE)
    assert [one.state for one in daemon.every] == ["declared"]
    assert not target.mapper.link(target.volume).exists(), "nothing is mapped for a guest that may not come"


@pytest.mark.promise("S5-21", "S5-22", "S5-28", "S5-63")
def test_a_migration_between_two_hosts_from_declaration_to_audit(tmp_path: Path) -> None:
    if lacking := Userspace(tmp_path).absent():
        pytest.skip(f"not shown here: {lacking}")
    hosts = Hosts(tmp_path)
    volume = hosts.store / "images/100/vm-100-disk-0.raw"
    volume.parent.mkdir(parents=True)
    volume.write_bytes(os.urandom(1 << 20))
    before = volume.read_bytes()
    Routes(tmp_path / "n2/state/routes").remember(str(volume), "userspace")
    try:
        for name in ("n1", "n2"):
            hosts[name].start()
        assert hosts.run("n1", "map", volume, "--driver", "userspace").returncode == 0
        assert eventually(lambda: hosts.volumes("n2", "n1") == [volume.name], every_s=0.05)
        declared = hosts.run("n2", "migration", "declare", volume, "--from", "n1", "--vm", "100")
        assert declared.returncode == 0, declared
        assert eventually(lambda: len(hosts.seen("n1", "n2")["migrations"]) == 1, every_s=0.05), "the source knows"
        assert hosts.run("n1", "unmap", volume).returncode == 0
        places = ["--pids", tmp_path, "--config", tmp_path / "n2/config.yml"]
        hook = hosts.run("n2", "hook", "post-migrate", "100", "n1", "n2", "--within", "20", "--json", *places)
        assert hook.returncode == 0, hook
        assert json.loads(hook.stdout)["verdict"] == "well"
        link = tmp_path / "n2/run/volumes" / str(volume).replace("/", "%2F")
        assert link.is_block_device()
        assert link.read_bytes() == before
        assert hosts.run("n1", "map", volume, "--driver", "userspace").returncode == 1, "and the source has it no more"

        def told() -> list[dict[str, str]]:
            found = hosts["n2"]("GET", "/v1/audit?most=1000")[1]["entries"]
            return [one["detail"] for one in found if one["what"] == "migration_complete"]

        assert eventually(lambda: len(told()) == 1, every_s=0.1)
        assert (told()[0]["storeid"], told()[0]["volname"]) == ("store", f"100/{volume.name}")
        assert told()[0]["mapping"].startswith(str(link))
        assert [one["state"] for one in hosts["n2"]("GET", "/v1/migrations")[1]] == ["complete"]
        assert 'mfs_autonomy_migrations{state="complete"} 1.0' in hosts["n2"]("GET", "/metrics")[1]
    finally:
        for name in ("n1", "n2"):
            hosts.run(name, "unmap", volume)
            if hosts[name].process is not None:
                hosts[name].end()
