"""Cleanup wipes what is declared and named, and nothing else."""

from dataclasses import replace

import pytest

from harness.stack.dataservices.cleanup.core import (
    Declared,
    DevicesWrong,
    Seen,
    chosen,
    read_devices,
    why_not_format,
    without_mount,
)
from harness.stack.dataservices.inventory.core import Inventory, read
from tests.stack.dataservices.servers import SMALL, small

DISK = "/dev/disk/by-id/virtio-data"
ONE = Declared("redis-01", DISK, "/srv/redis")
TABLE = f"server\tdevice\tmount\nredis-01\t{DISK}\t/srv/redis\nredis-02\t{DISK}\t/srv/redis\n"


def with_protected() -> Inventory:
    """redis-03 is protected."""
    lines = [line + "\tno" for line in SMALL.splitlines() if not line.startswith("#")]
    table = "\n".join(lines).replace("site\tno", "site\tprotected").replace("lille\tno", "lille\tyes")
    return read(table)


def test_devices_are_read() -> None:
    assert read_devices(TABLE, small()) == (ONE, replace(ONE, server="redis-02"))
    assert read_devices("server\tdevice\tmount\n", small()) == ()


@pytest.mark.parametrize(
    ("row", "where", "why"),
    [
        (f"redis-09\t{DISK}\t/srv/x", "4:1", "no server"),
        (f"redis-03\t{DISK}\t/srv/x", "4:1", "protected"),
        (f"install-01\t{DISK}\t/srv/x", "4:1", "protected"),
        ("lb-01\t/dev/sdb\t/srv/x", "4:2", "another disk"),
        ("lb-01\t/dev/disk/by-id/../../sda\t/srv/x", "4:2", "another disk"),
        (f"lb-01\t{DISK}\t/", "4:3", "no mount point"),
        (f"lb-01\t{DISK}\t/srv", "4:3", "no mount point"),
        (f"lb-01\t{DISK}\tsrv/x", "4:3", "no mount point"),
        (f"redis-01\t{DISK}\t/srv/y", "4:2", "declared already"),
        (f"redis-01\t{DISK}2\t/srv/redis", "4:3", "another device's"),
        (f"lb-01\t{DISK}", "4:0", "2 cells"),
    ],
)
def test_a_wrong_row_is_refused_and_with_it_the_table(row: str, where: str, why: str) -> None:
    with pytest.raises(DevicesWrong, match=f"devices.tsv:{where}: .*{why}"):
        read_devices(f"{TABLE}{row}\n", with_protected())


@pytest.mark.parametrize("heads", ["", "server\tmount\tdevice\n", "redis-01\tx\ty\n"])
def test_a_table_without_its_heads_is_refused(heads: str) -> None:
    with pytest.raises(DevicesWrong, match=r"devices.tsv:1"):
        read_devices(heads, small())


def test_servers_are_cleaned_only_by_name() -> None:
    found = chosen(["redis-02", "lb-01"], small())
    assert not isinstance(found, str)
    assert [one.name for one in found] == ["redis-02", "lb-01"]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([], "no server is named"),
        (["redis-1"], "not in the inventory: redis-1"),
        (["redis-01", "redis-3"], "not in the inventory"),
        (["redis-01", "redis-03"], "protected: redis-03"),
        (["install-01"], "protected: install-01"),
    ],
)
def test_a_list_with_a_mistake_in_it_cleans_nobody(names: list[str], why: str) -> None:
    found = chosen(names, with_protected())
    assert isinstance(found, str)
    assert why in found


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (Seen(exists=False), "not there"),
        (Seen(exists=True, carries_system=True), "carries the system"),
        (Seen(exists=True, mounted_at=("/srv/redis", "/home")), "mounted at /home"),
        (Seen(exists=True, holders=("dm-0",)), "part of dm-0"),
        (Seen(exists=True, partitions=("vdb1",)), "partitions: vdb1"),
    ],
)
def test_a_device_that_is_more_than_was_declared_is_left(seen: Seen, why: str) -> None:
    assert why in (why_not_format(ONE, seen) or "")


@pytest.mark.parametrize("places", [(), ("/srv/redis",)])
def test_the_declared_device_is_made_anew(places: tuple[str, ...]) -> None:
    assert why_not_format(ONE, Seen(exists=True, mounted_at=places)) is None


def test_only_the_devices_own_line_leaves_the_table_of_mounts() -> None:
    fstab = (
        "# /srv/redis is ours\nUUID=1 / ext4 defaults 0 1\nUUID=2 /srv/redis xfs defaults 0 2\n"
        "UUID=3 /srv/redis xfs noauto 0 2\nUUID=2 /srv/other xfs defaults 0 2\n\n#UUID=2 /srv/redis xfs\n"
    )
    left = without_mount(fstab, ONE, {"UUID=1": False, "UUID=2": True, "UUID=3": False})
    assert left == fstab.replace("UUID=2 /srv/redis xfs defaults 0 2\n", "", 1)
