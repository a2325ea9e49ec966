"""One volume has one name on all hosts, and two have two."""

import pytest

from harness.stack.storage.peers.core.identity import identity_of

MFS = "moosefs:mfsmaster:9421"


@pytest.mark.parametrize(
    ("volume", "shared", "point", "file_system", "expected"),
    [
        ("/mnt/mfs/images/1/a", (), "/mnt/mfs", MFS, f"{MFS}:/images/1/a"),
        ("/srv/store/images/1/a", (), "/srv/store", MFS, f"{MFS}:/images/1/a"),
        ("/mnt/mfs/images/1/b", (), "/mnt/mfs", MFS, f"{MFS}:/images/1/b"),
        ("/var/lib/a", (), "/", "", ""),
        ("/mnt/ocfs/a", ("/mnt/ocfs",), "/mnt/ocfs", "", "shared:/mnt/ocfs/a"),
        ("/mnt/ocfs2/a", ("/mnt/ocfs",), "/", "", ""),
        ("/mnt/mfs/a", ("/mnt/mfs",), "/mnt/mfs", MFS, "shared:/mnt/mfs/a"),
    ],
)
def test_the_name(volume: str, shared: tuple[str, ...], point: str, file_system: str, expected: str) -> None:
    assert identity_of(volume, shared, point, file_system) == expected
