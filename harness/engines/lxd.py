"""LXD's system containers as nodes, through pylxd. It has no types: all of it stays in here.

Instances without any network device, privileged or not; each disk is a snapshot of its image where LXD has a pool
for that. Process 1 is the node's own, so that a node is the same whatever engine it runs on.
"""

import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import pylxd
import pylxd.exceptions
import requests.exceptions

from harness.clock import now_s
from harness.engines.cgroup import Cgroup
from harness.engines.disk import read_tree
from harness.engines.enter import in_root
from harness.engines.hosted import Container
from harness.engines.imported import import_once
from harness.engines.oci import DEVICES, SHM_BYTES, environment, nofile_limit, process_1, sysctls
from harness.engines.remains import (
    MONITORS_END,
    NODE_LABEL,
    OWNER_LABEL,
    REPOSITORY,
    RUN_LABEL,
    Daemon,
    instance_name,
    owner,
    template_name,
)
from harness.errors import EngineError, HostError
from harness.procfs import begins_its_namespace
from harness.rundir import RunDirectory, cache_directory

_ANSWER_S = 120
_OFF_S = 30.0
_LOOK_EVERY_S = 0.01
_NOT_YET = ("busy", "already running")
_TEMPLATE_S = 60
"""After which a template ends by itself, when who was making it has been killed."""
_READY_KEY = "user.ha-harness.ready"
"""Says of a template that it is complete, and in which pool."""
PIVOT = f"lxc.cgroup.dir.monitor.pivot = {MONITORS_END}\n"
"""For ``raw.lxc``: where a monitor moves to before it ends, instead of to a group that nobody removes."""
_FAILURES = (
    pylxd.exceptions.LXDAPIException,
    pylxd.exceptions.ClientConnectionFailed,
    requests.exceptions.RequestException,
)
Result = TypeVar("Result")


class LxdContainers:
    """The containers of one run."""

    def __init__(self, run_id: str, daemon: Daemon, *, privileged: bool = True) -> None:
        """Raises HostError when the daemon does not answer, or has no storage pool whose disks we can get at.

        Not ``privileged``: root of a node is an ordinary user of the host (user_namespaces(7)).
        """
        self.name = "lxd" if privileged else "lxd-unprivileged"
        self.daemon = daemon
        self._privileged = privileged
        self._run_id = run_id
        try:
            self._client: Any = pylxd.Client(endpoint=f"http+unix://{quote(daemon.socket, safe='')}", timeout=_ANSWER_S)
            server = int(self._client.host_info["environment"]["server_pid"])
        except _FAILURES as error:
            raise HostError(f"lxd does not answer at {daemon.socket}: {error}") from error
        pool = daemon.pool()
        if pool is None:
            raise HostError(str(daemon.why_unfit()))
        self.pool = pool
        self._containers = Path(daemon.socket).resolve().parent / "storage-pools" / self.pool / "containers"
        # The daemon may have mounts of its own, and its pool among them.
        self._mounts = Path(f"/proc/{server}/root")

    def create(self, container: Container, laid: bytes) -> None:
        """Make a container with this archive over its image; one that is there already is replaced."""
        image = container.image
        key = import_once("lxd", image, self._has_image, lambda key: self._import(image, key))
        self.remove(container.node)
        node = container.node
        definition = self._definition(container) | {"source": self._source(image, key)}
        self._asking(node, lambda: self._client.instances.create(definition, wait=True))
        self.unpack(node, laid)

    def _source(self, image: Path, key: str) -> dict[str, Any]:
        """What a node's disk is made from."""
        if self._privileged:
            return {"type": "image", "alias": _alias(key)}
        import_once(self.name, image, self._has_template, lambda key: self._make_template(image, key))
        return {"type": "copy", "source": template_name(key), "instance_only": True}

    def _definition(self, container: Container) -> dict[str, Any]:
        variables = environment(container.environment).items()
        devices: dict[str, dict[str, str]] = {"root": {"type": "disk", "path": "/", "pool": self.pool}}
        for path in filter(os.path.exists, DEVICES):
            devices[Path(path).name] = {"type": "unix-char", "source": path, "path": path, "mode": "0666"}
        return {
            "name": self._name(container.node),
            "type": "container",
            "profiles": [],
            "devices": devices,
            "config": {
                f"user.{RUN_LABEL}": container.run_id,
                f"user.{NODE_LABEL}": container.node,
                f"user.{OWNER_LABEL}": owner(),
                "security.privileged": str(self._privileged).lower(),
                "security.syscalls.deny_default": "false",
                "boot.autostart": "false",
                "limits.kernel.nofile": str(nofile_limit()),
                "raw.lxc": self._raw(container),
                **{f"environment.{name}": value for name, value in variables},
            },
        }

    def _raw(self, container: Container) -> str:
        """What LXD has no words for (lxc.container.conf(5))."""
        memory = "tmpfs {} tmpfs rw,nosuid,nodev,{},create=dir 0 0"
        lines = [
            ("lxc.init.cmd", " ".join(process_1(container.image))),
            ("lxc.uts.name", container.node),
            ("lxc.cap.drop", ""),
            ("lxc.mount.entry", memory.format("run", "mode=755")),
            ("lxc.mount.entry", memory.format("tmp", "mode=1777")),
            ("lxc.mount.entry", memory.format("dev/shm", f"mode=1777,size={SHM_BYTES}")),
            ("lxc.console.logfile", str(self._console(container.node))),
            # The monitor stays where it is: it is LXD's, not the node's, and tells LXD of the node's end.
            ("lxc.cgroup.dir.monitor", f"lxc.monitor.{self._name(container.node)}"),
            ("lxc.cgroup.dir.container", f"{container.group}/payload"),
            *((f"lxc.sysctl.{name}", value) for name, value in sysctls().items()),
        ]
        return "".join(f"{key} = {value}\n" for key, value in lines) + PIVOT

    def start(self, node: str) -> int:
        """Give it power; returns the host's process id of its process 1."""
        instance = self._instance(node)
        try:
            _when_idle(lambda: instance.start(timeout=_ANSWER_S, wait=True))
        except _FAILURES as error:
            raise EngineError(f"node {node} did not start: lxd: {self._why_not_started(instance) or error}") from error
        # Not by asking LXD: it would count all that the container uses, which takes a fifth of the start.
        group = Cgroup(f"{RunDirectory(self._run_id).cgroup}/{node}")
        for pid in group.processes():
            if begins_its_namespace(pid):
                return pid
        raise EngineError(f"node {node} ended as soon as it had started")

    def _why_not_started(self, instance: Any) -> str:
        """The errors in the container's log."""
        try:
            lines = str(instance.api.logs["lxc.log"].get().text).splitlines()
        except _FAILURES:
            return ""
        return "; ".join(line.partition(" - ")[2] or line for line in lines if " ERROR " in line)

    def await_off(self, node: str) -> None:
        """Return when LXD knows that the container does not run."""
        deadline_s = now_s() + _OFF_S
        while str(self._instance(node).status) != "Stopped":
            if now_s() > deadline_s:
                raise EngineError(f"node {node}: lxd does not notice within {_OFF_S:g} s that it has lost its power")
            time.sleep(_LOOK_EVERY_S)

    def remove(self, node: str) -> None:
        """Remove the container and its disk; one that is not there is no error."""
        try:
            instance = self._client.instances.get(self._name(node))
        except pylxd.exceptions.NotFound:
            return
        except _FAILURES as error:
            raise EngineError(f"node {node}: lxd: {error}") from error
        self.await_off(node)
        self._asking(node, lambda: _when_idle(lambda: instance.delete(wait=True)))

    # --- disks without power ---------------------------------------------------------------------------

    def read_file(self, node: str, path: str) -> bytes:
        """A file of the container's disk, links followed. FileNotFoundError."""
        return in_root(self._root(node), (Path("/") / path).read_bytes)

    def read_tree(self, node: str, directory: str, limit_bytes: int) -> dict[str, bytes]:
        """All regular files below a directory of the disk; of longer ones, the end."""
        return in_root(self._root(node), partial(read_tree, directory, limit_bytes))

    def unpack(self, node: str, archive: bytes) -> None:
        """Unpack a tar archive onto the disk."""

        root = self._root(node)
        state = root.stat()

        def extract() -> None:
            with tarfile.open(fileobj=io.BytesIO(archive)) as members:
                # It is ours, and the root directory is the node's: nothing in it has to be refused.
                members.extraction_filter = lambda member, _path: member
                for member in members.getmembers():
                    member.uid, member.gid = state.st_uid, state.st_gid
                members.extractall("/", numeric_owner=True)

        in_root(root, extract)

    def console(self, node: str) -> bytes:
        """What process 1 has written."""
        log = self._outside(self._console(node))
        return log.read_bytes() if log.exists() else b""

    # --- image -----------------------------------------------------------------------------------------

    def _import(self, image: Path, key: str) -> None:
        if shutil.which("mksquashfs") is None:
            raise HostError("mksquashfs is needed to give lxd an image: apt-get install squashfs-tools")
        # Each import replaces what a killed one has left; it holds a lock (see import_once).
        scratch = cache_directory() / "engines" / f"lxd-{key}.scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        try:
            squashed = scratch / "rootfs.squashfs"
            command = ["mksquashfs", str(image), str(squashed), "-comp", "lz4", "-noappend", "-no-progress", "-quiet"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise EngineError(f"mksquashfs: {done.stderr.strip() or done.stdout.strip()}")
            try:
                content = squashed.read_bytes()
                imported = self._client.images.create(content, metadata=_metadata(key), wait=True)
                imported.add_alias(_alias(key), "a node image of the harness")
            except _FAILURES as error:
                raise EngineError(f"lxd does not import {image}: {error}") from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _has_image(self, key: str) -> bool:
        return self._asking("", lambda: bool(self._client.images.exists(_alias(key), alias=True)))

    def _has_template(self, key: str) -> bool:
        def ready() -> bool:
            exists = self._client.instances.exists(template_name(key))
            return bool(exists and self._template(key).config.get(_READY_KEY) == self.pool)

        return self._asking("", ready)

    def _template(self, key: str) -> Any:
        return self._client.instances.get(template_name(key))

    def _make_template(self, image: Path, key: str) -> None:
        """An unprivileged instance that has been started once: by then LXD has given the whole disk to its users.

        That takes a second or two of the processor, which every other node is spared.
        """
        definition = {
            "name": template_name(key),
            "type": "container",
            "source": {"type": "image", "alias": _alias(key)},
            "profiles": [],
            "devices": {"root": {"type": "disk", "path": "/", "pool": self.pool}},
            "config": {"security.privileged": "false", "raw.lxc": f"lxc.init.cmd = /bin/sleep {_TEMPLATE_S}\n{PIVOT}"},
        }
        try:
            if self._client.instances.exists(template_name(key)):  # of somebody who was killed meanwhile
                self._discard(self._template(key))
            self._client.instances.create(definition, wait=True).start(timeout=_ANSWER_S, wait=True)
            _when_idle(lambda: self._template(key).stop(force=True, wait=True))
            _when_idle(lambda: self._template(key).patch({"config": {_READY_KEY: self.pool}}, wait=True))
        except _FAILURES as error:
            raise EngineError(f"lxd does not give {image} to an unprivileged container: {error}") from error

    def _discard(self, template: Any) -> None:
        if template.status != "Stopped":
            _when_idle(lambda: template.stop(force=True, wait=True))
        _when_idle(lambda: template.delete(wait=True))

    # --- names -----------------------------------------------------------------------------------------

    def _asking(self, node: str, ask: Callable[[], Result]) -> Result:
        try:
            return ask()
        except _FAILURES as error:
            raise EngineError(f"{f'node {node}: ' if node else ''}lxd: {error}") from error

    def _instance(self, node: str) -> Any:
        return self._asking(node, lambda: self._client.instances.get(self._name(node)))

    def _name(self, node: str) -> str:
        return instance_name(self._run_id, node)

    def _root(self, node: str) -> Path:
        root = self._outside(self._containers / self._name(node) / "rootfs")
        if not root.is_dir():
            raise EngineError(f"node {node}: lxd has no disk of it (any more)")
        return root

    def _console(self, node: str) -> Path:
        # Beside its disk: the daemon may not see the directory of the run, as it has a /run of its own.
        return self._containers / self._name(node) / "console.log"

    def _outside(self, path: Path) -> Path:
        """Where we see what the daemon sees at a path."""
        return self._mounts / path.relative_to("/")


def _when_idle(act: Callable[[], Result]) -> Result:
    """LXD refuses what is asked of an instance while it has not heard of, or dealt with, its end: ask until it has."""
    deadline_s = now_s() + _OFF_S
    while True:
        try:
            return act()
        except pylxd.exceptions.LXDAPIException as error:
            if not any(word in str(error) for word in _NOT_YET) or now_s() > deadline_s:
                raise
            time.sleep(_LOOK_EVERY_S)


def _alias(key: str) -> str:
    return f"{REPOSITORY}-{key}"


def _metadata(key: str) -> bytes:
    text = json.dumps(  # YAML, as LXD wants it, includes JSON
        {
            "architecture": os.uname().machine,
            "creation_date": int(time.time()),
            "properties": {"description": _alias(key)},
        }
    ).encode()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("metadata.yaml")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return stream.getvalue()
