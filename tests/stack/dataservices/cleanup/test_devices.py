"""Devices made anew for real: loop devices with their own file systems, in a room with mounts of its own."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.stack.dataservices.cleanup.core import Declared
from harness.stack.dataservices.cleanup.plan import plan
from harness.stack.dataservices.installer.install import Installer, StageFailed
from harness.stack.dataservices.installer.ssh import ScriptFailed, Unreachable
from harness.stack.dataservices.inventory.core import Role, Server
from harness.stack.dataservices.plan.core import Carried, Plan
from tests.stack.dataservices.servers import small

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mkfs.xfs") is None or not Path("/dev/loop-control").exists(),
    reason="needs root, mkfs.xfs and loop devices",
)
SIZE_BYTES = 320 * 2**20  # XFS takes 300 MB at least
DATA, SPARE = ("/dev/disk/by-id/loop-data", "/dev/disk/by-id/loop-spare")
MOUNT = "/srv/harness/data"
_MADE = """
mount --make-rprivate /
mount -t tmpfs none /srv
mkdir -p {mount} /srv/upper /srv/work /srv/else
mount -t overlay none -o lowerdir=/etc,upperdir=/srv/upper,workdir=/srv/work /etc
mount -t tmpfs none /run
for one in null zero urandom random; do cp -a /dev/$one /srv/$one; done
cp -a {loops} /srv
mount -t tmpfs none /dev
cp -a /srv/null /srv/zero /srv/urandom /srv/random {copies} /dev
mkdir -p /dev/disk/by-id
ln -s {first} {data}
ln -s {second} {spare}
"""


@dataclass(frozen=True)
class Disks:
    """A shell with mounts of its own, in which two devices are. Everybody's is this one."""

    process: int
    loops: tuple[str, str]

    def sh(self, script: str) -> "subprocess.CompletedProcess[str]":
        """As over SSH: the script is the shell's standard input."""
        command = ["nsenter", "-m", "-t", str(self.process), "sh", "-s"]
        return subprocess.run(command, input=script, capture_output=True, text=True, check=False)

    def run(self, server: Server, script: str, line: Callable[[str], None]) -> None:
        """See Shell."""
        done = self.sh(script)
        for one in done.stdout.splitlines():
            line(one)
        if done.returncode:
            raise ScriptFailed(done.stderr.strip())

    def send(self, server: Server, one: Carried) -> None:
        """See Shell."""
        raise AssertionError(f"{one.path} is sent to {server.name}")

    def does(self, script: str) -> str:
        """What it says; it has to be done."""
        done = self.sh(f"set -e\n{script}")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Disks]:
    """One that is mounted, with data on it and a line in the table; and a spare one."""
    loops: list[str] = []
    holder = None
    try:
        for name in ("data", "spare"):
            with (tmp_path / name).open("wb") as file:
                file.truncate(SIZE_BYTES)
            made = subprocess.run(["losetup", "-f", "--show", file.name], capture_output=True, text=True, check=True)
            loops.append(made.stdout.strip())
        holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", "echo; read _"], stdin=-1, stdout=-1)
        assert holder.stdout is not None
        holder.stdout.readline()
        room = Disks(holder.pid, (loops[0], loops[1]))
        copies = " ".join(f"/srv/{one.rpartition('/')[2]}" for one in loops)
        words = {"mount": MOUNT, "loops": " ".join(loops), "copies": copies, "data": DATA, "spare": SPARE}
        room.does(_MADE.format(first=loops[0], second=loops[1], **words))
        room.does(f"mkfs.ext4 -q {DATA}; mkfs.ext4 -q {SPARE}; mount {DATA} {MOUNT}; echo theirs >{MOUNT}/file")
        room.does(f"printf '/dev/none / ext4 defaults 0 1\\n{DATA} {MOUNT} ext4 defaults 0 2\\n# last\\n' >/etc/fstab")
        yield room
    finally:
        if holder is not None:
            holder.kill()
            holder.wait()
        for one in loops:
            subprocess.run(["losetup", "-d", one], check=False)


def todo(*devices: Declared, call: str = "first") -> Plan:
    """Of a cleanup, what is about devices; in the end they are looked at by other means."""
    whole = plan(small().of(Role.REDIS)[:1], (), devices, call=call)
    return Plan("cleanup", tuple(stage for stage in whole.stages if stage.name in ("looked at", "devices")))


def carry_out(disks: Disks, found: Plan) -> list[str]:
    """What was said."""
    said: list[str] = []
    Installer(small(), disks, said.append, lambda _: None).carry_out(found)
    return said


def type_of(disks: Disks, device: str) -> str:
    return disks.does(f"blkid -p -s TYPE -o value {device}")


ONE = Declared("redis-01", DATA, MOUNT)


@pytest.mark.promise("S4-15")
def test_the_declared_device_is_new_and_empty_and_no_other_one_is_touched(disks: Disks) -> None:
    said = carry_out(disks, todo(ONE))
    assert any("has a new, empty XFS" in line for line in said)
    assert type_of(disks, DATA) == "xfs"
    assert type_of(disks, SPARE) == "ext4"
    assert disks.does("cat /etc/fstab") == "/dev/none / ext4 defaults 0 1\n# last"
    assert disks.does(f"mount {DATA} {MOUNT}; ls -A {MOUNT}; umount {MOUNT}") == ""


@pytest.mark.promise("S4-15")
def test_called_again_what_was_written_since_is_gone_as_well(disks: Disks) -> None:
    carry_out(disks, todo(ONE))
    disks.does(f"mount {DATA} {MOUNT}; echo again >{MOUNT}/file; umount {MOUNT}")
    assert not any("changed" in line for line in carry_out(disks, todo(ONE))), "one call makes it anew once"
    carry_out(disks, todo(ONE, call="second"))
    assert disks.does(f"mount {DATA} {MOUNT}; ls -A {MOUNT}; umount {MOUNT}") == ""


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (f"mount {SPARE} /srv/else", f"{SPARE} is mounted at /srv/else, and is declared for /srv/harness/spare"),
        (f"rm {SPARE}", f"{SPARE} is not there"),
        (f"mkswap -q {SPARE}; swapon {SPARE}", f"{SPARE} carries the system"),
    ],
)
def test_a_device_that_is_more_than_was_declared_stops_all_of_it(disks: Disks, before: str, why: str) -> None:
    disks.does(before)
    try:
        with pytest.raises(StageFailed, match=why):
            carry_out(disks, todo(ONE, Declared("redis-01", SPARE, "/srv/harness/spare")))
        assert disks.does(f"cat {MOUNT}/file") == "theirs"
        assert DATA in disks.does("cat /etc/fstab")
    finally:
        disks.sh(f"swapoff {SPARE} 2>/dev/null")


def test_who_uses_it_is_not_left_with_half_of_it(disks: Disks) -> None:
    user = subprocess.Popen(
        ["nsenter", "-m", "-t", str(disks.process), "sh", "-c", f"cd {MOUNT} && echo && read _"], stdin=-1, stdout=-1
    )
    assert user.stdout is not None
    user.stdout.readline()
    try:
        with pytest.raises(StageFailed, match="umount"):
            carry_out(disks, todo(ONE))
        assert disks.does(f"cat {MOUNT}/file") == "theirs"
    finally:
        user.kill()
        user.wait()
    carry_out(disks, todo(ONE))
    assert type_of(disks, DATA) == "xfs"


def test_killed_anywhere_and_called_again_it_ends_the_same(disks: Disks) -> None:
    killed = 0
    for trial in range(6):  # from before it has begun to after it has ended, on a quick machine as on a slow one
        disks.does(f"umount -q {MOUNT} || :; mkfs.ext4 -qF {DATA}; mount {DATA} {MOUNT}")
        disks.does(f"printf '{DATA} {MOUNT} ext4 defaults 0 2\\n' >/etc/fstab; echo theirs >{MOUNT}/file")
        dying = Dying(disks, 0.003 * 2.2**trial)
        Installer(small(), dying, lambda line: None, lambda pause: None).carry_out(todo(ONE, call=f"call{trial}"))
        killed += dying.died
        assert type_of(disks, DATA) == "xfs"
        assert disks.does("cat /etc/fstab") == ""
        assert disks.does(f"mount {DATA} {MOUNT}; ls -A {MOUNT}; umount {MOUNT}") == ""
    assert killed, "every one had ended before it could be killed"


def _all_gone(process: "subprocess.Popen[str]") -> None:
    """Who is being killed may hold a device for a moment yet; after the installer's pause nobody does."""
    process.wait()
    deadline_s = time.monotonic() + 10
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline_s:
            os.killpg(process.pid, 0)
            time.sleep(0.01)


@dataclass
class Dying:
    """The shell that makes the device anew dies once, with all that it has started."""

    disks: Disks
    after_s: float
    died: int = 0
    once: bool = False

    def send(self, server: Server, one: Carried) -> None:
        """See Shell."""
        raise AssertionError(f"{one.path} is sent to {server.name}")

    def run(self, server: Server, script: str, line: Callable[[str], None]) -> None:
        """See Shell."""
        if "mkfs.xfs" not in script or self.once:
            self.disks.run(server, script, line)
            return
        self.once = True
        command = ["nsenter", "-m", "-t", str(self.disks.process), "sh", "-s"]
        with subprocess.Popen(
            command, stdin=-1, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, start_new_session=True
        ) as process:
            assert process.stdin is not None
            process.stdin.write(script)
            process.stdin.close()
            deadline_s = time.monotonic() + self.after_s
            while time.monotonic() < deadline_s and process.poll() is None:
                pass
            if process.poll() is None:
                os.killpg(process.pid, 9)
                _all_gone(process)
                self.died += 1
        raise Unreachable("it died")
