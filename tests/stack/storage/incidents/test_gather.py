"""What a look at this host finds, of files that are really open."""

import os
from pathlib import Path

from harness.stack.storage.incidents.catalogue import BY_NAME
from harness.stack.storage.incidents.gather import Gatherer
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
