"""What lies over the image on a node's disk, as one archive: for engines that keep disks of their own."""

import io
import os
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path

from harness.engines.disk import BOOT_FILE
from harness.engines.engine import NodeDefinition, NodeFile
from harness.errors import UsageError


def check_sources(definition: NodeDefinition) -> None:
    """Raise UsageError for an image or layers that are none."""
    if not (definition.image / "usr").is_dir():
        raise UsageError(f"node {definition.name}: image {definition.image} is no root file system (it has no /usr)")
    for layer in definition.layers:
        if not layer.is_dir():
            raise UsageError(f"node {definition.name}: layer {layer} is no directory")


def pack(definition: NodeDefinition) -> bytes:
    """A tar archive of the boot script, the node's layers and its files, to be unpacked over its image.

    Later members replace earlier ones. Parents of files have members of their own where the image has no such
    directory, so that their mode is known; directories that the image has, or links to, are not touched.
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for layer in definition.layers:
            for child in sorted(layer.iterdir()):
                archive.add(child, arcname=child.name, filter=_as_root)
        _add_files(archive, (BOOT_FILE, *definition.files), (definition.image, *definition.layers))
    return stream.getvalue()


def pack_files(files: Sequence[NodeFile]) -> bytes:
    """A tar archive of files alone."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        _add_files(archive, files, ())
    return stream.getvalue()


def _add_files(archive: tarfile.TarFile, files: Sequence[NodeFile], below: Sequence[Path]) -> None:
    made: set[Path] = set()
    for file in files:
        path = Path(file.path.lstrip("/"))
        for parent in reversed(path.parents[:-1]):
            if below and parent not in made and not any(os.path.lexists(root / parent) for root in below):
                made.add(parent)
                archive.addfile(_member(parent, 0o755, tarfile.DIRTYPE))
        member = _member(path, file.mode, tarfile.REGTYPE)
        member.size = len(file.content)
        archive.addfile(member, io.BytesIO(file.content))


def _member(path: Path, mode: int, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(str(path))
    member.mode, member.type, member.mtime = mode, kind, time.time()
    return member


def _as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
