"""State of TPMs on plain storage and on a mapped device: swtpm starts on both, and what it keeps stays.

What is judged is what a TPM answers that was started anew: a text that was put into its non-volatile memory before.
"""

import inspect

import pytest

from fixtures.marks import promise, software, topology
from fixtures.storage import tpm_client
from fixtures.storage.on_node import NODE, only_with_own_kernels, run, shell
from harness.cluster import Cluster, ClusterDesign
from harness.subjects.storage.subject import MfsAutonomy

PLAIN = "/srv/images/100/tpm-state"
VOLUME, MOVED = "/srv/images/100/vm-100-disk-1", "/srv/elsewhere/vm-100-disk-1"
MOUNT = "/mnt/state"
ON_NBD = f"{MOUNT}/swtpm"
SOCKET, PID_FILE = "/run/tpm.sock", "/run/tpm.pid"
SECRETS = {PLAIN: "on plain storage", ON_NBD: "on a device"}


@pytest.fixture
def cluster_design(cluster_design: ClusterDesign, engine_name: str) -> ClusterDesign:
    """One node with a kernel of its own, which has NBD."""
    only_with_own_kernels(engine_name)
    return cluster_design


async def starts(cluster: Cluster, folder: str) -> None:
    """As a hypervisor does, on what `mfs-autonomy tpm` says."""
    known = "--flags not-need-init,startup-clear --daemon"
    await shell(
        cluster,
        f'swtpm socket --tpm2 --tpmstate dir="$(mfs-autonomy tpm {folder})" --server type=unixio,path={SOCKET} '
        f"--pid file={PID_FILE} {known}",
    )


async def asked(cluster: Cluster, *words: str) -> str:
    """What the TPM that runs answers."""
    return (await run(cluster, "python3", "-c", inspect.getsource(tpm_client), SOCKET, *words)).strip()


async def ends(cluster: Cluster) -> None:
    """Killed: what it keeps has to be on the disk by then."""
    await shell(cluster, f"p=$(cat {PID_FILE}); kill -9 $p; while kill -0 $p 2>/dev/null; do :; done; rm -f {SOCKET}")


async def mapped_and_mounted(cluster: Cluster, volume: str) -> str:
    """The device."""
    await run(cluster, "mfs-autonomy", "map", volume)
    device = await shell(cluster, f"readlink /run/mfs-autonomy/volumes/{volume.replace('/', '%2F')}")
    await shell(cluster, f"blkid {device} || mkfs.ext4 -q {device}; mkdir -p {MOUNT}; mount {device} {MOUNT}")
    return device


async def is_refused(cluster: Cluster, folder: str, why: str) -> None:
    """In one line that says why, and nothing is changed."""
    before = await shell(cluster, f"ls -lan {folder}")
    assert why in await run(cluster, "mfs-autonomy", "tpm", folder, code=1)
    assert await shell(cluster, f"ls -lan {folder}") == before


@promise("S5-14", "S5-15", "S5-16", "S5-58", "S5-59", "S5-78")
@software("mfs-autonomy")
@topology("one-node")
async def test_a_tpm_keeps_its_state_on_plain_storage_and_on_a_device(cluster: Cluster) -> None:
    """Made private, by its absolute name; refused where it cannot be; and the state goes where its volume goes."""
    subject = cluster.design.subjects[0]
    assert isinstance(subject, MfsAutonomy)
    await subject.load_nbd(cluster.engine, NODE)
    await shell(cluster, f"mkdir -p /srv/images/100 /srv/elsewhere; ln -s /srv /storage; truncate -s 64M {VOLUME}")
    device = await mapped_and_mounted(cluster, VOLUME)
    assert device.startswith("/dev/nbd")
    assert await shell(cluster, "cd /storage/images && umask 0 && mfs-autonomy tpm 100/tpm-state") == PLAIN
    assert await shell(cluster, f"mfs-autonomy tpm {ON_NBD}") == ON_NBD
    for folder, secret in SECRETS.items():
        assert await shell(cluster, f"stat -c '%a %u %F' {folder}") == "700 0 directory"
        await starts(cluster, folder)
        await asked(cluster, "write", secret)
        await is_refused(cluster, folder, "a second swtpm cannot start on it")
        await ends(cluster)
        assert "tpm2-00.permall" in (await shell(cluster, f"ls {folder}")).split()
        await shell(cluster, f"chmod 755 {folder}")
        await starts(cluster, folder)
        assert await shell(cluster, f"stat -c %a {folder}") == "700", "it is private again"
        assert await asked(cluster, "read") == secret, "killed, and started anew"
        await asked(cluster, "shut")
        await ends(cluster)
    await shell(cluster, f"mount -o remount,ro {MOUNT}")
    await is_refused(cluster, ON_NBD, "mounted read-only")
    await shell(cluster, f"umount {MOUNT}; mfs-autonomy unmap {VOLUME}")
    await run(cluster, "mfs-autonomy", "move", VOLUME, MOVED, "--grace", "0")
    await mapped_and_mounted(cluster, MOVED)
    await starts(cluster, ON_NBD)
    assert await asked(cluster, "read") == SECRETS[ON_NBD], "it went with its volume"
    await ends(cluster)
    await shell(cluster, f"umount {MOUNT}")
    await run(cluster, "mfs-autonomy", "unmap", MOVED)
