"""What runs leave in daemons (Docker, LXD), the images they came from, and the removal of both.

Standard modules only: it is the keeper, too, that removes, and it starts without any installed package.
"""

import hashlib
import http.client
import json
import socket
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from harness.errors import EngineError
from harness.rundir import RunDirectory, group_prefix

RUN_LABEL, NODE_LABEL, OWNER_LABEL = "ha-harness.run", "ha-harness.node", "ha-harness.owner"
"""Docker labels of every container of a run; in LXD, keys of the instance's configuration after ``user.``."""
_KEYS = {"docker": "", "lxd": "user."}
REPOSITORY = "ha-harness"
"""Docker's name of our images, each with its key as tag; in LXD, an alias begins with it."""
MONITORS_END = "ha-harness-lxd-pivot"
"""The control group that LXD's monitors move to before they end; one for all, and not a run's."""
_FILE = "daemon.json"
_ANSWER_S = 60.0
_LIST_S = 15.0
"""For a daemon to list what it has: whoever cleans up does not wait for one that hangs."""
_EVERY_S = 0.05
_REMOVING_S = 60.0
_SERVES_S = 5.0
_UNDER_WAY_S = 3.0
"""For how long after its client's death a daemon may still come up with a container that it was asked for."""
_POOL_USABLE = "Created"
CGROUP_DRIVER = "cgroupfs"
"""What docker has to leave control groups to: to nobody."""
SNAPSHOTS, COPIES = "btrfs", "dir"
DRIVERS = (SNAPSHOTS, COPIES)
"""LXD's drivers of storage pools whose disks can be read and written without power, the better one first."""
OK, BAD_REQUEST, NO_SUCH, CONFLICT, SERVER_ERROR = 200, 400, 404, 409, 500
_REFUSALS = (BAD_REQUEST, NO_SUCH, CONFLICT, SERVER_ERROR)


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that keeps containers, by the UNIX socket of its REST interface."""

    kind: Literal["docker", "lxd"]
    socket: str

    def answers(self) -> bool:
        """Whether somebody listens there."""
        return self.why_silent() is None

    def why_silent(self) -> OSError | None:
        """What the kernel says when nobody can be spoken to there; None when somebody listens."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            try:
                client.connect(self.socket)
            except OSError as error:
                return error
        return None

    def serves(self) -> bool:
        """Whether it carries out requests: a daemon that is starting, or ending, only accepts connections."""
        try:
            self._ask("GET", "/_ping" if self.kind == "docker" else "/1.0", within_s=_SERVES_S)
        except EngineError:
            return False
        return True

    def runs(self) -> set[str]:
        """The ids of all runs that have containers here. Empty when the daemon is not running."""
        return set(self._containers().values()) if self.answers() else set()

    def containers(self, run_id: str) -> list[str]:
        """The names of a run's containers. Empty when the daemon is not running."""
        return sorted(name for name, run in self._containers().items() if run == run_id) if self.answers() else []

    def remove(self, run_id: str, *, under_way: bool = False) -> None:
        """Remove the containers of a run. EngineError when that is impossible.

        With ``under_way`` somebody may have died who had just asked for one: it is waited for.
        """
        if not self.answers():
            raise EngineError(
                f"{self.kind} does not answer at {self.socket}, so containers of run {run_id} cannot be removed;"
                f" harness engine start {self.kind}, then harness reap"
            )
        remove = self._remove_docker if self.kind == "docker" else self._remove_lxd
        deadline_s = time.monotonic() + _UNDER_WAY_S
        while True:
            if names := self.containers(run_id):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(remove, names))
            if not under_way or time.monotonic() > deadline_s:
                return
            time.sleep(_EVERY_S)

    def make_pool(self, name: str, driver: str, config: Mapping[str, str]) -> None:
        """Have a usable storage pool of this name in LXD. EngineError, in LXD's words, when it cannot be made."""
        body = {"name": name, "driver": driver, "config": dict(config)}
        found = self._ask("GET", f"/1.0/storage-pools/{name}", may_be=(NO_SUCH,))
        if found.get("error_code") == NO_SUCH:
            self._ask("POST", "/1.0/storage-pools", body)
        elif not usable(status := str(found["metadata"]["status"])):
            raise EngineError(f"lxd: its storage pool {name} is {status}")

    def images(self) -> set[str]:
        """The keys of all images that were imported here for nodes (see import_once)."""
        if self.kind == "docker":
            filters = quote(json.dumps({"reference": [REPOSITORY]}))
            found = self._ask("GET", f"/images/json?filters={filters}")
            return {str(tag).rpartition(":")[2] for one in found for tag in one["RepoTags"]}
        return set(self._fingerprints())

    def remove_image(self, key: str) -> str:
        """Remove an image that was imported for nodes, and what was made from it for them; gives why not, if so."""
        if self.kind == "docker":
            refused = self._ask("DELETE", f"/images/{REPOSITORY}:{key}", may_be=(NO_SUCH, CONFLICT))
            return str(refused["message"]) if isinstance(refused, dict) else ""
        template, reason = template_name(key), ""
        if any(one["name"] == template for one in self._instances()):
            reason = self._operate("DELETE", f"/1.0/instances/{template}")
        return reason or self._operate("DELETE", f"/1.0/images/{self._fingerprints()[key]}")

    def _fingerprints(self) -> dict[str, str]:
        # Not by alias: whoever is killed between an image and its alias leaves one that has none.
        images = self._ask("GET", "/1.0/images?recursion=1")["metadata"] or []
        described = {str(one["properties"].get("description", "")): str(one["fingerprint"]) for one in images}
        begins = f"{REPOSITORY}-"
        return {text.removeprefix(begins): print_ for text, print_ in described.items() if text.startswith(begins)}

    def why_unfit(self) -> str | None:
        """What keeps nodes from being made in a daemon that answers, and what to do; None when nothing does."""
        if self.kind == "lxd":
            drivers, make = " or ".join(DRIVERS), "lxc storage create harness dir"
            reason = f"the lxd daemon at {self.socket} has no usable storage pool with the driver {drivers}: {make}"
            return None if self.pool() else reason
        driver = self._ask("GET", "/info", within_s=_LIST_S)["CgroupDriver"]
        if driver == CGROUP_DRIVER:
            return None
        return (
            f"the docker daemon at {self.socket} leaves control groups to {driver}; the harness needs one with"
            f" native.cgroupdriver={CGROUP_DRIVER}: unset HARNESS_DOCKER; harness engine start docker"
        )

    def pool(self) -> str | None:
        """The best of LXD's storage pools whose disks can be got at; None when there is none."""
        pools = self._ask("GET", "/1.0/storage-pools?recursion=1", within_s=_LIST_S)["metadata"] or []
        fit = [one for one in pools if one["driver"] in DRIVERS and usable(str(one["status"]))]
        best = sorted((DRIVERS.index(str(one["driver"])), str(one["name"])) for one in fit)
        return best[0][1] if best else None

    def stop_others(self) -> None:
        """Stop what runs in LXD and is of no run, such as a template whose maker was killed: it would outlive LXD."""
        for one in self._instances():
            if one["status"] != "Stopped" and f"{_KEYS['lxd']}{RUN_LABEL}" not in one["config"]:
                stop = {"action": "stop", "force": True, "timeout": 10}
                self._operate("PUT", f"/1.0/instances/{one['name']}/state", stop)

    def _containers(self) -> dict[str, str]:
        """The run of every container that belongs to one of ours; other hosts may share this daemon (see owner)."""
        if self.kind == "docker":
            filters = quote(json.dumps({"label": [RUN_LABEL]}))
            listed = self._ask("GET", f"/containers/json?all=1&filters={filters}", within_s=_LIST_S)
            found = {str(one["Id"]): one["Labels"] for one in listed}
        else:
            found = {str(one["name"]): one["config"] for one in self._instances()}
        run, whose = (f"{_KEYS[self.kind]}{label}" for label in (RUN_LABEL, OWNER_LABEL))
        return {name: str(labels[run]) for name, labels in found.items() if labels.get(whose) == owner()}

    def _instances(self) -> list[dict[str, Any]]:
        return self._ask("GET", "/1.0/instances?recursion=1", within_s=_LIST_S)["metadata"] or []

    def _remove_docker(self, container: str) -> None:
        deadline_s = time.monotonic() + _REMOVING_S
        while time.monotonic() < deadline_s:  # 409: somebody else is removing it, or it is just ending
            if self._ask("DELETE", f"/containers/{container}?force=1&v=1", may_be=(NO_SUCH, CONFLICT)) is None:
                return
            if container not in self._containers():
                return
            time.sleep(_EVERY_S)
        raise EngineError(f"docker does not remove container {container}")

    def _remove_lxd(self, instance: str) -> None:
        path = f"/1.0/instances/{instance}"
        reason = ""
        deadline_s = time.monotonic() + _REMOVING_S
        while time.monotonic() < deadline_s:  # it may be busy: dying for a moment, or being made for some seconds
            if instance not in self._containers():
                return
            self._operate("PUT", f"{path}/state", {"action": "stop", "force": True, "timeout": 10})
            reason = self._operate("DELETE", path)
            time.sleep(_EVERY_S)
        raise EngineError(f"lxd does not remove instance {instance}: {reason}")

    def _operate(self, method: str, path: str, body: object = None) -> str:
        """Carry out one of LXD's operations; gives its error, if any."""
        begun = self._ask(method, path, body, may_be=_REFUSALS) or {}
        operation = begun.get("operation")
        if not operation:
            return str(begun.get("error", ""))
        # What went wrong is part of the operation or, in newer versions, the answer.
        done = self._ask("GET", f"{operation}/wait?timeout=30", may_be=_REFUSALS) or {}
        return str((done.get("metadata") or {}).get("err", "") or done.get("error", ""))

    def _ask(
        self, method: str, path: str, body: object = None, may_be: tuple[int, ...] = (), within_s: float = _ANSWER_S
    ) -> Any:
        connection = _Connection(self.socket, within_s)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise EngineError(f"{self.kind} at {self.socket}: {error}") from error
        finally:
            connection.close()
        content = json.loads(text) if text.strip() and path != "/_ping" else None
        if answer.status >= OK + 100 and answer.status not in may_be:
            raise EngineError(f"{self.kind}: {method} {path}: {content}")
        return content


class _Connection(http.client.HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path: str, within_s: float) -> None:
        super().__init__("localhost", timeout=within_s)
        self._path, self._within_s = path, within_s

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self._within_s)
        self.sock.connect(self._path)


def lxd_name(kind: str, text: str) -> str:
    """A name for an instance; LXD's are up to 63 letters, digits and hyphens."""
    return f"{kind}{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def instances_of(run_id: str) -> str:
    """What the names of all of a run's instances begin with, and of no other run's."""
    return lxd_name("h", run_id)[:13]


def instance_name(run_id: str, node: str) -> str:
    """LXD's instance of a node."""
    return instances_of(run_id) + lxd_name("", node)[:12]


def template_name(key: str) -> str:
    """LXD's instance that the disks of unprivileged nodes of this image are copies of."""
    return lxd_name("t", key)


def owner() -> str:
    """Whose containers ours are: daemons may be shared by hosts that know nothing of each other's runs."""
    return group_prefix()


def usable(pool_status: str) -> bool:
    """Whether disks can be made in a storage pool of LXD that says this of itself (not when it could not mount it)."""
    return pool_status == _POOL_USABLE


def note_daemon(run: RunDirectory, daemon: Daemon) -> None:
    """Write down that a run has (or will have) containers in this daemon."""
    file = run.path / _FILE
    fresh = file.with_suffix(".fresh")
    fresh.write_text(json.dumps(asdict(daemon)))
    fresh.replace(file)


def noted_daemon(directory: Path) -> Daemon | None:
    """The daemon that keeps containers of the run with this directory; None when it has none."""
    try:
        return Daemon(**json.loads((directory / _FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
