"""Docker's containers as nodes, through the Docker SDK for Python. The SDK has no types: all of it stays in here."""

import io
import posixpath
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.types
import docker.utils
import requests.exceptions

from harness.engines.cgroup import Hierarchies, hierarchies
from harness.engines.hosted import Container
from harness.engines.imported import import_once
from harness.engines.oci import (
    DEVICES,
    PROCESS_1,
    READ_ONLY,
    SHM_BYTES,
    capabilities_lacking,
    environment,
    nofile_limit,
    process_1,
    sysctls,
)
from harness.engines.remains import NODE_LABEL, OWNER_LABEL, REPOSITORY, RUN_LABEL, Daemon, owner
from harness.errors import EngineError, HostError

_ANSWER_S = 120
_LINKS = 16
_CONSOLE_SIZE = "16m"
_ALL_THERE_ARE = "1.42"
"""From this version of its interface on, docker takes "all" for the capabilities it has, and refuses other names."""
# Docker mounts three files of its own over the node's. A node has its own; what is only there to be mounted on, goes.
_OWN_FILES = (
    "for file in hostname hosts resolv.conf; do umount /etc/$file && { [ -s /etc/$file ] || rm -f /etc/$file; };"
    " done 2>/dev/null; "
)
# A system's own init manages control groups: it gets those of its container, and those only, as the container has a
# cgroup namespace (cgroup_namespaces(7)). The host's are never mounted here.
_OWN_GROUPS = """
cd /sys/fs/cgroup || exit
if [ -e cgroup.controllers ]; then
    mount -o remount,rw /sys/fs/cgroup || exit
else
    cd / && umount --recursive /sys/fs/cgroup && mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup || exit
    mkdir /sys/fs/cgroup/systemd || exit
    mount -t cgroup -o none,name=systemd,xattr cgroup /sys/fs/cgroup/systemd || exit
fi
"""
_BESIDE_VERSION_1 = Path("/sys/fs/cgroup/unified")
_RUN = 'exec "$@"'
_FAILURES = (docker.errors.DockerException, requests.exceptions.RequestException)


class DockerContainers:
    """The containers of one run."""

    name = "docker"

    def __init__(self, run_id: str, daemon: Daemon) -> None:
        """Raises HostError when the daemon does not answer."""
        self.daemon = daemon
        self._run_id = run_id
        try:
            self._api: Any = docker.APIClient(base_url=f"unix://{daemon.socket}", timeout=_ANSWER_S, num_pools=4)
        except _FAILURES as error:
            raise HostError(f"docker does not answer at {daemon.socket}: {error}") from error

    def create(self, container: Container, laid: bytes) -> None:
        """Make a container with this archive over its image; one that is there already is replaced."""
        image = container.image
        key = import_once("docker", image, self._has_image, lambda key: self._import(image, key))
        self.remove(container.node)
        name = self._name(container.node)
        boots = process_1(image)
        system = boots != PROCESS_1
        try:
            self._api.create_container(
                f"{REPOSITORY}:{key}",
                entrypoint=["/bin/sh", "-c", self._preparation(boots) + _RUN, "sh", *boots],
                name=name,
                hostname=container.node,
                environment=environment(container.environment) | ({"container": "docker"} if system else {}),
                tty=system,  # a system's own init writes to /dev/console
                labels={RUN_LABEL: container.run_id, NODE_LABEL: container.node, OWNER_LABEL: owner()},
                network_disabled=True,
                use_config_proxy=False,
                host_config=self._host_config(container),
            )
            self._api.put_archive(name, "/", laid)
        except _FAILURES as error:
            raise EngineError(f"node {container.node}: docker: {_words(error)}") from error

    def _preparation(self, boots: tuple[str, ...]) -> str:
        """What a container does before its process 1 begins."""
        if boots == PROCESS_1:
            return _OWN_FILES
        if reason := why_no_system(hierarchies()):
            raise HostError(reason)
        return _OWN_FILES + _OWN_GROUPS

    def _host_config(self, container: Container) -> Any:
        nofile = nofile_limit()
        config = self._api.create_host_config(
            network_mode="none",
            cgroup_parent=f"/{container.group}",
            cap_add=["ALL"],
            cap_drop=capabilities_lacking() if docker.utils.version_lt(self._api.api_version, _ALL_THERE_ARE) else [],
            security_opt=["seccomp=unconfined", "apparmor=unconfined"],
            devices=[f"{path}:{path}:rwm" for path in DEVICES if Path(path).exists()],
            device_cgroup_rules=["a *:* rwm"],
            ipc_mode="private",
            shm_size=SHM_BYTES,
            tmpfs={"/run": "exec,mode=755", "/tmp": "exec,mode=1777"},
            sysctls=sysctls(),
            ulimits=[docker.types.Ulimit(name="nofile", soft=nofile, hard=nofile)],
            log_config=docker.types.LogConfig(type="json-file", config={"max-size": _CONSOLE_SIZE}),
        )
        # The SDK has no words for these.
        return config | {"MaskedPaths": [], "ReadonlyPaths": list(READ_ONLY), "CgroupnsMode": "private"}

    def start(self, node: str) -> int:
        """Give it power; returns the host's process id of its process 1."""
        try:
            self._api.start(self._name(node))
            state = self._api.inspect_container(self._name(node))["State"]
        except _FAILURES as error:
            raise EngineError(f"node {node} did not start: docker: {_words(error)}") from error
        if not state["Pid"]:
            raise EngineError(f"node {node} ended as soon as it had started: exit code {state['ExitCode']}")
        return int(state["Pid"])

    def await_off(self, node: str) -> None:
        """Return when docker knows that the container does not run."""
        try:
            if self._api.inspect_container(self._name(node))["State"]["Running"]:
                self._api.wait(self._name(node), timeout=_ANSWER_S)
        except _FAILURES as error:
            raise EngineError(f"node {node}: docker: {_words(error)}") from error

    def remove(self, node: str) -> None:
        """Remove the container and its disk; one that is not there is no error."""
        try:
            self._api.remove_container(self._name(node), force=True, v=True)
        except docker.errors.NotFound:
            return
        except _FAILURES as error:
            raise EngineError(f"node {node}: docker: {_words(error)}") from error

    # --- disks without power ---------------------------------------------------------------------------

    def read_file(self, node: str, path: str) -> bytes:
        """A file of the container's disk, links followed. FileNotFoundError."""
        for _ in range(_LINKS):
            with self._archive(node, path) as archive:
                member = archive.getmembers()[0]
                if not member.issym():
                    stream = archive.extractfile(member)
                    if stream is None:
                        raise EngineError(f"node {node}: {path} is no file")
                    return stream.read()
            path = posixpath.join(posixpath.dirname(path), member.linkname)
        raise EngineError(f"node {node}: {path} leads through more than {_LINKS} links")

    def read_tree(self, node: str, directory: str, limit_bytes: int) -> dict[str, bytes]:
        """All regular files below a directory of the disk; of longer ones, the end."""
        found: dict[str, bytes] = {}
        with self._archive(node, directory) as archive:
            for member in archive:
                if member.isfile() and (stream := archive.extractfile(member)) is not None:
                    stream.seek(max(0, member.size - limit_bytes))
                    found[posixpath.join(posixpath.dirname(directory), member.name)] = stream.read()
        return found

    def _archive(self, node: str, path: str) -> tarfile.TarFile:
        try:
            chunks, _ = self._api.get_archive(self._name(node), path)
            return tarfile.open(fileobj=io.BytesIO(b"".join(chunks)))
        except docker.errors.NotFound:
            raise FileNotFoundError(path) from None
        except _FAILURES as error:
            raise EngineError(f"node {node}: docker: {_words(error)}") from error

    def unpack(self, node: str, archive: bytes) -> None:
        """Unpack a tar archive onto the disk."""
        try:
            self._api.put_archive(self._name(node), "/", archive)
        except _FAILURES as error:
            raise EngineError(f"node {node}: docker: {_words(error)}") from error

    def console(self, node: str) -> bytes:
        """What process 1 has written."""
        try:
            return bytes(self._api.logs(self._name(node)))
        except _FAILURES as error:
            raise EngineError(f"node {node}: docker: {_words(error)}") from error

    # --- image -----------------------------------------------------------------------------------------

    def _import(self, image: Path, key: str) -> None:
        command = ["tar", "--numeric-owner", "--xattrs", "-C", str(image), "-cf", "-", "."]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as tar:
            try:
                self._api.import_image_from_stream(tar.stdout, repository=REPOSITORY, tag=key)
            except _FAILURES as error:
                tar.kill()
                raise EngineError(f"docker does not import {image}: {_words(error)}") from error
        if tar.returncode != 0:
            self.daemon.remove_image(key)
            raise EngineError(f"docker does not import {image}: tar ended with exit code {tar.returncode}")

    def _has_image(self, key: str) -> bool:
        try:
            self._api.inspect_image(f"{REPOSITORY}:{key}")
        except docker.errors.NotFound:
            return False
        except _FAILURES as error:
            raise EngineError(f"docker: {_words(error)}") from error
        return True

    def _name(self, node: str) -> str:
        return f"{self._run_id}.{node}"


def why_no_system(found: Hierarchies) -> str | None:
    """What keeps containers with a system's own init (systemd) from being safe here; None when nothing does.

    Docker puts containers into groups of their own in the hierarchies that the host has mounted. In another one, such
    an init would be in the root group, and take the host's over.
    """
    if not found.version1 or (found.controller("name=systemd") and found.unified == _BESIDE_VERSION_1):
        return None
    return (
        "systemd in docker needs, beside the version 1 control groups of this host, the hierarchy name=systemd and"
        f" version 2 mounted at {_BESIDE_VERSION_1}"
    )


def _words(error: Exception) -> str:
    return str(getattr(error, "explanation", None) or error)
