"""Remedies that touch mappings, on devices of the driver userspace."""

import os
from pathlib import Path

import pytest

from harness.stack.storage.incidents.remedies import Remedies
from harness.stack.storage.mapping.drivers.userspace import Userspace
from harness.stack.storage.mapping.mapper import Mapper, boot_id
from harness.stack.storage.mapping.ports import PortFailed
from harness.stack.storage.mapping.record import Record, Stage
from harness.stack.storage.mapping.records import Records
from harness.stack.storage.mapping.volumes import map_volume, way_to
from harness.stack.storage.places import Places


@pytest.mark.promise("S5-26", "S5-88")
def test_a_device_that_another_host_has_as_well_is_let_go_once_nobody_uses_it(tmp_path: Path) -> None:
    places = Places(tmp_path / "state", tmp_path / "run")
    if lacking := Userspace(places.run).absent():
        pytest.skip(f"not shown here: {lacking}")
    file = tmp_path / "disk"
    file.write_bytes(os.urandom(1 << 20))
    content = file.read_bytes()
    map_volume(places, file, way_to(places, file, "userspace"))
    link = Mapper(Userspace(places.run), places).link(file)
    user = os.open(link, os.O_RDONLY)
    try:
        with pytest.raises(PortFailed, match=rf"process {os.getpid()}\) uses it here"):
            Remedies(places).perform("let go of what nobody uses", str(file))
        assert link.is_block_device(), "whoever uses it keeps it"
    finally:
        os.close(user)
        said = Remedies(places).perform("let go of what nobody uses", str(file))
    assert "nobody used the device" in said
    assert not link.exists()
    assert file.read_bytes() == content
    assert Remedies(places).perform("let go of what nobody uses", str(file)) == "it is not mapped any more"


def test_of_a_file_nobody_can_tell_whether_it_is_used(tmp_path: Path) -> None:
    places = Places(tmp_path / "state", tmp_path / "run")
    Records(places.mappings).write(Record("/srv/a", "/srv/a", None, Stage.MAPPED, "file", boot_id()))
    with pytest.raises(PortFailed, match="nobody can tell"):
        Remedies(places).perform("let go of what nobody uses", "/srv/a")
    assert Records(places.mappings).read("/srv/a")
