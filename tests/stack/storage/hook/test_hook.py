"""The hook on real devices: what a guest's process has open is what counts, and the source's own daemon's word."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.stack.kit.command_line import DONE, FAILED, USAGE
from harness.stack.storage.autonomy.core import Level
from harness.stack.storage.cli import main
from harness.stack.storage.cli.errors import PARTIAL
from harness.stack.storage.daemon.stored import Store
from harness.stack.storage.mapping.drivers.userspace import Userspace
from harness.stack.storage.mapping.mapper import Mapper
from harness.stack.storage.mapping.records import Records
from harness.stack.storage.mapping.routes import Routes
from harness.stack.storage.peers.core.merge import Heard
from harness.stack.storage.peers.core.report import MappedVolume, Report
from harness.stack.storage.peers.migrations import Migrations
from harness.stack.storage.peers.view import View, now_s, write
from harness.stack.storage.places import Places
from tests.stack.waiting import eventually

HOLDS = "import os, sys; d = os.open(sys.argv[1], os.O_RDWR); print('open', flush=True); sys.stdin.read()"
Program = "subprocess.Popen[bytes]"


class Target:
    """The host n2, to which guest 100 came from n1."""

    def __init__(self, folder: Path) -> None:
        self.places = Places(folder / "state", folder / "run")
        self.store = folder / "store"
        self.pids = folder / "pids"
        self.pids.mkdir()
        (self.store / "images/100").mkdir(parents=True)
        self.volume = self.store / "images/100/vm-100-disk-0.raw"
        self.volume.write_bytes(os.urandom(1 << 20))
        self.programs: list[subprocess.Popen[bytes]] = []
        self.level(Level.STORAGE)
        self.source_has()

    def level(self, level: Level) -> None:
        """As an owner set it."""
        Store(self.places.state / "daemon/state.json").change(level=level)

    def source_has(self, *, mapped: bool = False, age_s: float = 0.0) -> None:
        """What the daemon here heard of n1."""
        rows = (MappedVolume(str(self.volume), f"shared:{self.volume}", "userspace", 3, "mapped"),) if mapped else ()
        known = {"n1": Heard(Report("n1", 1, 1, "i", volumes=rows), now_s() - age_s)}
        write(self.places, View("n2", now_s(), 1.0, ("n1",), (str(self.store),), known))

    def guest_opens(self, path: Path) -> None:
        """A process that has it open, as the hypervisor's has."""
        program = subprocess.Popen(
            [sys.executable, "-c", HOLDS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.programs.append(program)
        assert program.stdout is not None
        assert program.stdout.readline() == b"open\n"
        (self.pids / "100.pid").write_text(str(program.pid))

    def guest_ends(self) -> None:
        for one in self.programs:
            one.send_signal(signal.SIGKILL)
            one.wait(10)
        self.programs.clear()

    def hook(self, *arguments: object) -> int:
        places = ["--state", str(self.places.state), "--run", str(self.places.run)]
        where = ["--pids", str(self.pids), "--config", str(self.places.state / "none.yml")]
        try:
            return main.main([*places, "hook", *map(str, arguments), *where])
        except SystemExit as end:
            return int(end.code or 0)

    def after_the_migration(self, *more: object) -> int:
        return self.hook("post-migrate", "100", "n1", "n2", "--within", 3, *more)

    def declared(self) -> None:
        found = Migrations(self.places.migrations)
        way: dict[str, Any] = {"vm": "100", "source": "n1", "target": "n2", "for_s": 60, "driver": "userspace"}
        found.declare(str(self.volume), f"shared:{self.volume}", **way)

    @property
    def mapper(self) -> Mapper:
        return Mapper(Userspace(self.places.run), self.places, cool_s=0.1)

    @property
    def state(self) -> str:
        return Migrations(self.places.migrations).every()[-1].state


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    if lacking := Userspace(tmp_path).absent():
        pytest.skip(f"not shown here: {lacking}")
    one = Target(tmp_path)
    yield one
    one.guest_ends()
    for record in Records(one.places.mappings).all():
        assert eventually(lambda record=record: not one.mapper.unmap(Path(record.file)).why, every_s=0.2)  # type: ignore[misc]


@pytest.mark.promise("S5-21", "S5-62", "S5-22")
def test_what_is_not_mapped_is_mapped_again_with_a_warning(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    before = target.volume.read_bytes()
    target.declared()
    assert target.after_the_migration() == DONE
    said = capsys.readouterr()
    assert "it is not mapped here, and was at the source" in said.err
    link = target.mapper.link(target.volume)
    assert link.is_block_device()
    assert link.read_bytes() == before
    ended = Migrations(target.places.migrations).every()[-1]
    assert (ended.state, ended.mapping.startswith(str(link))) == ("complete", True)
    assert target.after_the_migration("--volume", target.volume) == DONE, "a second time there is nothing to do"
    assert capsys.readouterr().err == ""


@pytest.mark.promise("S5-21")
def test_a_guest_on_its_device_is_well(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    target.declared()
    assert not target.mapper.map(target.volume).why
    target.guest_opens(target.mapper.link(target.volume))
    assert target.after_the_migration("--json") == DONE
    assert json.loads(capsys.readouterr().out)["verdict"] == "well"


@pytest.mark.promise("S5-23")
def test_a_guest_on_the_plain_file_is_a_reversion_mended_at_its_next_start(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    target.declared()
    target.guest_opens(target.volume)
    assert target.after_the_migration() == FAILED
    said = capsys.readouterr()
    assert "a reversion" in said.out
    assert "its next start maps the volume first" in said.err
    assert Records(target.places.mappings).all() == [], "no second path is put beside the one in use"
    assert target.state == "failed"
    target.guest_ends()
    Routes(target.places.routes).remember(str(target.volume), "userspace")
    assert target.hook("proxmox", "100", "pre-start") == DONE
    assert target.mapper.link(target.volume).is_block_device()


def test_both_paths_open_are_told_and_left_to_a_person(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    target.declared()
    assert not target.mapper.map(target.volume).why
    target.guest_opens(target.volume)
    assert target.after_the_migration() == FAILED
    assert "a second data path" in capsys.readouterr().err
    assert len(Records(target.places.mappings).all()) == 1


def test_a_mapping_whose_server_died_is_mended_while_nobody_uses_it(target: Target) -> None:
    target.declared()
    work = target.mapper.map(target.volume)
    os.kill(int((target.places.run / f"nbdkit-{work.index}.pid").read_text()), signal.SIGKILL)
    before = target.volume.read_bytes()
    assert target.after_the_migration() == DONE
    assert target.mapper.link(target.volume).read_bytes() == before


@pytest.mark.promise("S5-61")
def test_a_volume_that_cannot_be_reached_fails(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    target.declared()
    target.volume.unlink()
    assert target.after_the_migration() == FAILED
    assert "cannot be read here: No such file or directory" in capsys.readouterr().err


@pytest.mark.promise("S5-60")
def test_what_was_no_device_at_the_source_is_left_alone(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    assert target.after_the_migration() == DONE
    assert "nothing to look at" in capsys.readouterr().out
    assert Records(target.places.mappings).all() == []


@pytest.mark.parametrize(
    ("mapped", "age_s", "said"), [(True, 0.0, "still mapped at the source"), (False, 60.0, "silent")]
)
def test_a_source_that_has_it_still_or_is_silent_is_not_well(
    target: Target, capsys: pytest.CaptureFixture[str], mapped: bool, age_s: float, said: str
) -> None:
    target.declared()
    assert not target.mapper.map(target.volume).why
    target.source_has(mapped=mapped, age_s=age_s)
    began_s = time.monotonic()
    assert target.after_the_migration() == PARTIAL
    assert time.monotonic() - began_s >= 3, "it waits for the source as long as it was told to"
    assert said in capsys.readouterr().err
    assert target.state == "left over"


def test_the_level_decides_whether_it_is_mapped_by_itself(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    target.level(Level.SAFE)
    target.declared()
    assert target.after_the_migration() == FAILED
    assert "the level of autonomy lets nobody but a person map it" in capsys.readouterr().err
    assert Records(target.places.mappings).all() == []
    Routes(target.places.routes).remember(str(target.volume), "userspace")
    assert target.hook("proxmox", "100", "pre-start") == DONE, "who may do nothing stops nobody"
    assert Records(target.places.mappings).all() == []


def test_as_proxmox_calls_it(
    target: Target, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PVE_MIGRATED_FROM", "n1")
    target.source_has(mapped=True)
    assert target.hook("proxmox", "100", "pre-start") == DONE
    assert "mapped before the guest starts" in capsys.readouterr().err
    assert target.state == "declared"
    target.guest_opens(target.mapper.link(target.volume))
    assert target.hook("proxmox", "100", "post-start") == DONE, "the source lets go later: the daemon looks on"
    assert target.state == "declared"
    monkeypatch.delenv("PVE_MIGRATED_FROM")
    for phase in ("post-start", "pre-stop", "post-stop", "a-later-phase"):
        assert target.hook("proxmox", "100", phase) == DONE
    target.volume.rename(target.volume.with_name("away"))
    Routes(target.places.routes).remember(str(target.store / "images/100/gone"), "userspace")
    assert target.hook("proxmox", "100", "pre-start") == FAILED, "a guest without its disk is not started"
    target.volume.with_name("away").rename(target.volume)


def test_after_a_reboot_the_guest_starts_on_its_device(target: Target) -> None:
    work = target.mapper.map(target.volume)
    assert work.record is not None
    assert not target.mapper.unmap(target.volume).why
    Records(target.places.mappings).write(replace(work.record, boot="an earlier one"))
    assert target.hook("proxmox", "100", "pre-start") == DONE
    assert target.mapper.link(target.volume).is_block_device()
    record = Records(target.places.mappings).read(str(target.volume))
    assert record is not None
    assert record.boot == work.boot


def test_a_wrong_call_is_said(target: Target) -> None:
    assert target.hook("post-migrate", "100", "n1") == USAGE
    assert target.hook("post-migrate", "100", "n1", "n3") == USAGE
    assert target.hook("sideways", "100", "n1") == USAGE
