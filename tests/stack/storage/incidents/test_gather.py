"""What a look at this host finds, of files that are really open."""

import os
from pathlib import Path

import pytest

from harness.stack.storage.incidents import gather
from harness.stack.storage.incidents.catalogue import BY_NAME
from harness.stack.storage.incidents.core.facts import Master
from harness.stack.storage.incidents.gather import Gatherer
from harness.stack.storage.mapping.mapper import boot_id
from harness.stack.storage.mapping.record import Record, Stage
from harness.stack.storage.mapping.records import Records
from harness.stack.storage.mapping.routes import FILE, Routes
from harness.stack.storage.places import Places


def test_a_disk_that_is_written_as_a_file_and_was_a_device_is_a_reversion(tmp_path: Path) -> None:
    places = Places(tmp_path / "state", tmp_path / "run")
    for name, route in (("device", "nbd-client"), ("file", FILE), ("gone", "nbd-client")):
        Routes(places.routes).remember(str(tmp_path / name), route)
        (tmp_path / name).write_bytes(bytes(4096))
    (tmp_path / "gone").unlink()

    def found() -> list[str]:
        return [case.subject for case in BY_NAME["reversion"].cases(Gatherer(places).look())]

    reading = [os.open(tmp_path / name, os.O_RDONLY) for name in ("device", "file")]
    assert found() == []
    writing = [os.open(tmp_path / name, os.O_RDWR) for name in ("device", "file")]
    assert found() == [str(tmp_path / "device")]
    for one in (*reading, *writing):
        os.close(one)
    assert found() == []


@pytest.mark.parametrize("error", ["", "Connection refused"])
def test_what_is_on_a_silent_mount_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    places, mount = Places(tmp_path / "state", tmp_path / "run"), tmp_path / "mfs"
    mount.mkdir()
    for name in ("mapped", "reached-once"):
        (mount / name).write_bytes(b"x" * 4096)
    volume = str(mount / "mapped")
    Records(places.mappings).write(Record(volume, volume, None, Stage.MAPPED, "file", boot_id()))
    Routes(places.routes).remember(str(mount / "reached-once"), "nbd-client")
    monkeypatch.setattr(gather, "_masters", lambda: [Master(str(mount), "mfsmaster:9421", error)])
    with open(mount / "reached-once", "r+b"):
        facts = Gatherer(places).look()
    assert [volume in facts.volumes, str(mount / "reached-once") in facts.reverted] == [not error] * 2
    assert facts.record(volume), "it is known all the same"


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        (None, "/var/lib/mfs"),
        ("# DATA_PATH = /srv/a\nNICE_LEVEL = -19\n", "/var/lib/mfs"),
        ("DATA_PATH=/srv/a\n DATA_PATH = /srv/b \n", "/srv/b"),
    ],
)
def test_a_metalogger_is_looked_for_where_its_settings_say(tmp_path: Path, text: str | None, folder: str) -> None:
    config = tmp_path / "mfsmetalogger.cfg"
    if text is not None:
        config.write_text(text)
    assert gather._metalogger_folder(config) == Path(folder)
