"""The file systems that the volume comes from and goes to."""

import os
import socket
import time
from pathlib import Path

from ...moosefs import silence_of
from ...mounts import master_of, mount_of
from ..core import Seen, Weight
from ..operation import Operation
from ..run import Checks

CHECKS = Checks("cluster")
MOUNT_REMEDY = "mount it again, or wait until its storage answers"


@CHECKS.check("source-mount-answers", Weight.CRITICAL, "the file system of the source answers", MOUNT_REMEDY)
def _(operation: Operation) -> Seen:
    return _answers(operation.source.parent)


@CHECKS.check("target-mount-answers", Weight.CRITICAL, "the file system of the target answers", MOUNT_REMEDY)
def _(operation: Operation) -> Seen:
    return _answers(operation.target.parent)


@CHECKS.check(
    "source-mount-writable", Weight.CRITICAL, "the source can be deleted", "mount it for writing, or --keep-source"
)
def _(operation: Operation) -> Seen:
    return Seen(None, "the source is kept") if operation.keep_source else _writable(operation.source.parent)


@CHECKS.check("target-mount-writable", Weight.CRITICAL, "the target can be written", "mount it for writing")
def _(operation: Operation) -> Seen:
    return _writable(operation.target.parent)


@CHECKS.check("master-has-an-address", Weight.CRITICAL, "the master of MooseFS has an address", "correct DNS or hosts")
def _(operation: Operation) -> Seen:
    masters = _masters(operation)
    if not masters:
        return Seen(None, "no MooseFS is concerned")
    for host, port in masters:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return Seen(True, ", ".join(host for host, _ in masters))


@CHECKS.check(
    "master-is-reached", Weight.CRITICAL, "the master of MooseFS answers", "start mfsmaster, or open its port"
)
def _(operation: Operation) -> Seen:
    masters = _masters(operation)
    if not masters:
        return Seen(None, "no MooseFS is concerned")
    for host, port in masters:
        if said := silence_of(host, port):
            return Seen(False, f"{host}:{port}: {said}")
    return Seen(True, "every master answers")


def _answers(folder: Path) -> Seen:
    began_s = time.monotonic()
    os.statvfs(folder)
    os.scandir(folder).close()
    return Seen(True, f"{mount_of(folder.resolve()).point} answers in {1000 * (time.monotonic() - began_s):.0f} ms")


def _writable(folder: Path) -> Seen:
    mount = mount_of(folder.resolve())
    return Seen("ro" not in mount.options, f"{mount.point} is mounted {'ro' if 'ro' in mount.options else 'rw'}")


def _masters(operation: Operation) -> set[tuple[str, int]]:
    mounts = [mount_of(path.parent.resolve()) for path in (operation.source, operation.target)]
    return {master_of(mount) for mount in mounts if mount.is_moosefs}
