"""What the daemon wrote down for commands, and what they make of it."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from harness.stack.storage.mounts import Mount, mounts
from harness.stack.storage.peers.core.merge import Heard
from harness.stack.storage.peers.migrations import Migrations
from harness.stack.storage.peers.view import View, advice, elsewhere, identity, now_s, read, silent, write
from harness.stack.storage.places import Places
from tests.stack.storage.peers.core.told import having, heard

A = "/store/a"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "state", tmp_path / "run")


def view(age_s: float = 0.0, told_s: float = 0.0) -> View:
    at_s = now_s()
    known = {"n2": Heard(having("n2", f"shared:{A}"), at_s - told_s)}
    return View("n1", at_s - age_s, 1.0, ("n2",), ("/store",), known, {}, {"odd": 1})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=heard)
def test_what_is_written_is_read(places: Places, known: dict[str, Heard]) -> None:
    one = replace(view(), known=known)
    write(places, one)
    assert read(places) == one


def test_without_a_daemon_nothing_is_known_and_nothing_refused(places: Places) -> None:
    assert read(places) is None
    assert advice(places, A).verdict == "clear"
    assert (elsewhere(places), silent(places)) == ({}, {})


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "n1"}', '{"known": 1}'])
def test_one_that_cannot_be_understood_is_none(places: Places, content: str) -> None:
    places.run.mkdir()
    (places.run / "cluster.json").write_text(content)
    assert read(places) is None


def test_one_of_a_boot_that_was_later_than_this_is_none(places: Places) -> None:
    write(places, view(age_s=-3600.0))
    assert read(places) is None


def test_what_another_host_has_is_refused_here(places: Places) -> None:
    write(places, view())
    assert advice(places, A).verdict == "refused"
    assert advice(places, "/store/b").verdict == "clear"
    assert advice(places, "/elsewhere/a").verdict == "clear"
    Migrations(places.migrations).declare(A, f"shared:{A}", vm="100", source="n2", target="n1", for_s=60)
    assert advice(places, A).verdict == "clear"


def test_a_daemon_that_says_nothing_is_no_reason_to_be_sure(places: Places) -> None:
    write(places, view(age_s=60.0, told_s=60.0))
    assert advice(places, A).verdict == "warned"
    said = advice(places, "/store/b")
    assert said.verdict == "warned"
    assert "the daemon has said nothing for 60 s" in said.reasons[0]
    assert advice(places, "/elsewhere/b").verdict == "clear", "nobody else can have it"
    assert silent(places) == {}, "whose silence that is nobody knows"


def test_who_is_silent_is_found(places: Places) -> None:
    write(places, view(told_s=60.0))
    assert silent(places) == pytest.approx({"n2": 60.0}, abs=1.0)
    write(places, replace(view(), peers=("n2", "n3")))
    assert silent(places) == {"n3": -1.0}


def test_a_volume_is_called_by_its_file_system() -> None:
    table = [
        Mount(Path("/"), "ext4", "/dev/vda", frozenset()),
        Mount(Path("/mnt/mfs"), "fuse", "mfs#mfsmaster:9421", frozenset()),
        Mount(Path("/mnt/nfs"), "nfs4", "filer:/export", frozenset()),
    ]
    assert identity("/mnt/mfs/images/1/a", (), table) == "moosefs:mfsmaster:9421:/images/1/a"
    assert identity("/mnt/nfs/a", (), table) == "nfs4:filer:/export:/a"
    assert identity("/var/a", (), table) == ""
    assert identity("/var/a", ("/var",), table) == "shared:/var/a"
    assert identity("/proc/self/x", (), mounts()) == ""


def test_a_migration_outlives_its_writer_and_runs_out(places: Places) -> None:
    migrations = Migrations(places.migrations)
    one = migrations.declare(A, f"shared:{A}", vm="100", source="n2", target="n1", for_s=60)
    again = Migrations(places.migrations)
    assert again.of("100", "n2", "n1") == [one]
    assert again.of("101", "n2", "n1") == again.of("100", "n1", "n2") == []
    assert [row.left_s for row in again.open(time.time())] == [pytest.approx(60, abs=2)]
    assert again.open(time.time() + 61) == []
    again.end(one, "complete", "well", "/dev/nbd3")
    assert again.open(time.time()) == []
    assert again.of("100", "n2", "n1") == []
    (places.migrations / "x.json").write_text("{")
    assert [row.state for row in again.every()] == ["complete"]
