"""How a volume of Proxmox is called."""

import pytest

from harness.stack.storage.hook.core.names import of, store_and_name


def test_those_of_a_guest() -> None:
    every = ["/mnt/mfs/images/100/a", "/mnt/mfs/images/1001/a", "/mnt/mfs/images/100/sub/a", "/mnt/mfs/images/100/b"]
    assert of(every, "100") == ["/mnt/mfs/images/100/a", "/mnt/mfs/images/100/b"]


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ("/mnt/pve/mfs-a/images/100/vm-100-disk-0.raw", ("mfs-a", "100/vm-100-disk-0.raw")),
        ("/srv/disk-0", ("srv", "disk-0")),
    ],
)
def test_storeid_and_volname(volume: str, expected: tuple[str, str]) -> None:
    assert store_and_name(volume) == expected
