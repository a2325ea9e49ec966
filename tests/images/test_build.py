"""Building: what is shown meanwhile, what a failure says, and what the last script leaves."""

import subprocess
from pathlib import Path

import pytest

from harness.errors import HostError
from harness.images.build import build_root, failure, finishing_script, stage_of
from harness.images.definition import ImageDefinition
from harness.images.mirror import ARCHIVE_KEYRING, Mirror

LOG = """\
I: running apt-get update...
Get:1 http://m trixie InRelease
I: downloading packages with apt...
0 upgraded, 60 newly installed, 0 to remove and 0 not upgraded.
Get:1 http://m trixie/main a 1
Get:2 http://m trixie/main b 1
"""
DEFINITION = ImageDefinition(suite="trixie", packages=("tini",), enabled_units=("kept.service",))


def test_the_stage_follows_the_log() -> None:
    assert stage_of("") == "starting"
    assert stage_of(LOG[:30]) == "fetching package lists"
    assert stage_of(LOG) == "downloading 2/60"
    later = (
        LOG
        + "I: extracting archives...\nI: installing remaining packages inside the chroot...\n"
        + "0 upgraded, 70 newly installed, 0 to remove\nSetting up tini (1) ...\n"
    )
    assert stage_of(later) == "installing packages 1/70"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("W: GPG error: the public key is not available: NO_PUBKEY 123", "does not know the key"),
        ("Could not resolve 'deb.example'", "cannot be reached from here"),
        ("E: The repository does not have a Release file. 404  Not Found", "may not have this suite"),
    ],
)
def test_a_failure_names_reason_and_remedy(words: str, reason: str) -> None:
    message = failure(f"I: x\n{words}\n", Mirror("http://deb.example/debian", ()), Path("/l/build.log"))
    assert reason in message
    assert "--mirror URL --keyring FILE" in message
    assert words in message
    assert "/l/build.log" in message


def test_a_mirror_that_cannot_be_reached_is_a_clear_error(tmp_path: Path) -> None:
    unreachable = Mirror("http://127.0.0.1:9/debian", (ARCHIVE_KEYRING,))
    with pytest.raises(HostError, match=r"from http://127\.0\.0\.1:9/debian failed; it cannot be reached"):
        build_root(DEFINITION, unreachable, tmp_path / "rootfs", tmp_path / "log", lambda stage: None)


def test_no_service_stays_enabled_but_those_asked_for(tmp_path: Path) -> None:
    root = tmp_path / "rootfs"
    wants = root / "etc/systemd/system/multi-user.target.wants"
    for folder in (wants, root / "etc/rc2.d", root / "etc/apt/apt.conf.d", root / "var/lib/dpkg"):
        folder.mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "etc/resolv.conf").write_text("nameserver 192.0.2.1\n")
    for name in ("kept.service", "corosync.service"):
        (wants / name).symlink_to(f"/usr/lib/systemd/system/{name}")
    (root / "etc/rc2.d/S01corosync").symlink_to("../init.d/corosync")
    subprocess.run(["sh", "-euc", finishing_script(DEFINITION), "sh", root], check=True)
    assert [path.name for path in wants.iterdir()] == ["kept.service"]
    assert list((root / "etc/rc2.d").iterdir()) == []
    assert not (root / "etc/resolv.conf").exists()
    assert (root / "etc/machine-id").read_text() == ""
    assert (tmp_path / "packages.txt").exists()
