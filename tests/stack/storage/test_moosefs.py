"""What mfscli of MooseFS 4.57.5 printed, and masters that do not answer."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stack.storage.moosefs import read, silence_of, within_reach
from harness.stack.storage.mounts import master_of, mount_of, mounts

SAID = """\
cluster summary:|total space|108944293888
cluster summary:|avail space|67130212352
cluster summary:|last save status|Saved in background

metadata servers (masters):|10.55.189.1|4.57.5|MASTER|1796042208.780533|35|6B0D6DC53B964EA4|not available|154087424|-

all chunks matrix:|chunkclass missing:|0
all chunks matrix:|chunkclass endangered:|5

chunk servers:|mfsmaster|9422|1|-|4.57.5|0|Normal|maintenance_off|5|41814081536|108944293888|-|0|0|0
chunk servers:|10.55.189.2|9422|2|-|4.56.1|0|Normal|maintenance_on|5|41814081536|108944293888|-|0|0|0

disks:|10.55.189.1:9422:/srv/chunks/|5|no errors|ok|-|41814081536|108944293888
disks:|10.55.189.2:9422:/srv/chunks/|5|2026-11-30 12:00|damaged|-|41814081536|108944293888
"""


def test_what_it_says() -> None:
    found = read(SAID)
    assert found.version == 35
    assert found.chunkservers == ("mfsmaster", "10.55.189.2")
    assert found.chunks == {"missing": "0", "endangered": "5"}
    assert found.known["avail space"] == "67130212352"
    assert found.versions == ("4.56.1", "4.57.5")
    assert found.maintained == ("10.55.189.2",)
    assert found.bad_disks == ("10.55.189.2:9422:/srv/chunks/: 2026-11-30 12:00",)
    assert read("").chunkservers == ()


def test_a_mount_of_moosefs_4_is_known_by_its_device() -> None:
    row = "125 153 0:165 / /mnt/mfs rw,nosuid - fuse mfs\\043mfsmaster:9421 rw,user_id=0\n"
    (mount,) = mounts(row)
    assert mount.is_moosefs
    assert mount.is_remote
    assert master_of(mount) == ("mfsmaster", 9421)
    (other,) = mounts("125 153 0:165 / /mnt/x rw - fuse sshfs#h:/ rw\n")
    assert not other.is_moosefs


def test_two_slashes_at_the_beginning_are_one() -> None:
    table = "22 1 8:1 / / rw - ext4 /dev/a rw\n125 22 0:165 / /mnt/mfs rw - fuse mfs\\043mfsmaster:9421 rw\n"
    assert mount_of(Path("//mnt/mfs/images"), table).is_moosefs
    assert mount_of(Path("//srv"), table).point == Path("/")


def answers(said: bytes | None) -> Iterator[int]:
    """The port of something that takes a connection, and says this; nothing where there is nothing to say."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def once() -> None:
            with contextlib.suppress(OSError):
                one, _ = listener.accept()
                with one:
                    one.recv(8)
                    one.sendall(said or b"")
                    one.recv(1)

        threading.Thread(target=once, daemon=True).start()
        yield listener.getsockname()[1]


VERSION_FOLLOWS = struct.pack(">II", 11, 12)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [(VERSION_FOLLOWS, ""), (b"HTTP/1.1", "what answers is no master"), (None, "no answer within 0.2 s")],
)
def test_a_master_that_only_takes_connections_is_silent(said: bytes | None, wanted: str) -> None:
    for port in answers(said):
        assert silence_of("127.0.0.1", port, within_s=0.2 if said is None else 5) == wanted


def test_a_port_that_nobody_listens_at_is_silent_and_a_disk_is_always_within_reach(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert silence_of("127.0.0.1", port) == "Connection refused"
    within_reach(tmp_path / "a", tmp_path / "b")


def test_a_silent_master_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    row = f"125 153 0:165 / /mnt/mfs rw,nosuid - fuse mfs\\043127.0.0.1:{port} rw,user_id=0\n"
    (mount,) = mounts(row)
    monkeypatch.setattr("harness.stack.storage.moosefs.mount_of", lambda _: mount)
    with pytest.raises(OSError, match=rf"/mnt/mfs cannot be reached: its master 127.0.0.1:{port} .*refused.*begun"):
        within_reach(Path("/mnt/mfs/images/100/disk"))
