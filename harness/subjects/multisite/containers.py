"""multisite with machines that have a Docker daemon and an agent each; and the service that it places there.

The image of that service is made on each machine, from the machine's own Python: no registry is asked.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.addresses import AddressPlan
from harness.checks.expected import Expected
from harness.conditions import Condition
from harness.engines.engine import NodeFile
from harness.events import Event, Json, ReplicaRan
from harness.subjects.boot import starts_at_boot
from harness.subjects.multisite.subject import (
    COMMAND,
    CONFIG,
    WEB_SERVER,
    UndeclaredMultisite,
    Web,
    edge_of,
)
from harness.subjects.subject import Subject
from harness.topology import Topology

CONTAINERS, WEB_CONTAINERS, DOCKER_HOST = "multisite-containers", "web-containers", "docker-host"
AGENT, DOCKER = "agent", "dockerd"
"""What their processes are called by."""
TOKEN_OF_MACHINE, AGENT_CONFIG = "/etc/multisite/token", "/etc/multisite/agent.yml"
API_PORT = 8000
IMAGES = ("web:1", "web:2")
"""The same, by two names."""
NOTES = "/var/log/web/notes.jsonl"
_INSIDE = f"/srv/{WEB_SERVER}"
_PROGRAM = f"/usr/lib/harness-web/{WEB_SERVER}"
_CONTROLLERS = "cpuset cpu cpuacct blkio memory devices freezer pids"
# A node has no controllers of its own until it mounts its part of them. On its disk, which is an overlay, Docker would
# copy the whole image for each container: so its place is memory, and a power cut takes containers and image.
_PREPARES = (
    "mkdir -p /var/lib/docker",
    "mount -t tmpfs docker /var/lib/docker",
    "rm -rf /run/docker /run/docker.* /run/containerd",
    "mount -t tmpfs cgroup /sys/fs/cgroup",
    (
        f"for one in {_CONTROLLERS}; do mkdir /sys/fs/cgroup/$one; "
        "mount -t cgroup -o $one cgroup /sys/fs/cgroup/$one || rmdir /sys/fs/cgroup/$one; done"
    ),
)
_DOCKERD = "dockerd --iptables=false --ip6tables=false --exec-opt native.cgroupdriver=cgroupfs"
_MAKES_IMAGE = """\
import json, subprocess, sys, time, docker
from pathlib import Path
# What a web server of asyncio imports, as byte code as well: a container must not compile it first.
MODULES = ["*.py", "__pycache__", "asyncio", "collections", "concurrent", "encodings", "importlib", "json", "logging",
    "re", "lib-dynload/_asyncio*", "lib-dynload/_contextvars*", "lib-dynload/_queue*"]
engine = docker.DockerClient(base_url="unix:///run/docker.sock", version="1.41")
while True:
    try:
        engine.ping()
        break
    except Exception:
        time.sleep(0.1)
command, *names = sys.argv[1:]
if not engine.images.list(names[-1]):
    linked = subprocess.run(["ldd", "/usr/bin/python3"], capture_output=True, text=True, check=True).stdout.split()
    library = Path(json.__file__).parents[1]
    modules = [str(one) for pattern in MODULES for one in library.glob(pattern)]
    files = ["/usr/bin/python3", "PROGRAM", *modules, *(one for one in linked if one.startswith("/"))]
    root = subprocess.run(
        ["tar", "-cP", "--dereference", "--transform=s,^PROGRAM$,INSIDE,",
         "--transform=s,^/,,", *files], stdout=subprocess.PIPE, check=True).stdout
    repository, _, tag = names[0].partition(":")
    engine.api.import_image_from_data(root, repository=repository, tag=tag, changes=[f"CMD {command}"])
    for name in names[1:]:
        engine.images.get(names[0]).tag(*name.split(":"))
"""


def deployment(replicas: int, **more: Json) -> dict[str, Json]:
    """What the platform is told to run for a service."""
    return {"image": IMAGES[0], "port": 8080, "replicas": replicas, "mounts": ["/var/log/web:/var/log/web"], **more}


def runs(service: str) -> list[Json]:
    """The command of a container of a service."""
    return ["python3", _INSIDE, "8080", NOTES, service]


@dataclass(frozen=True, slots=True)
class ContainersMultisite(UndeclaredMultisite):
    """The platform on its edge, an agent on every machine, which begins once its machine has a token."""

    name = CONTAINERS
    image = "containers"

    interval_ms: int = 250
    timeout_ms: int = 1000
    silent_ms: int = 4000
    lease_ms: int = 5000
    margin_ms: int = 1500
    drain_ms: int = 1000
    patience_ms: int = 10_000
    guarded: bool = True
    """Whether a lease that is over ends a container: without it an exclusive one runs twice."""

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Settings, and what starts the processes."""
        if node == edge_of(topology):
            return self._edge(node, topology, plan)
        site = next(one.site for one in topology.nodes if one.name == node)
        settings = {
            "machine": node,
            "site": site,
            "address": plan.address(node),
            "platform": f"http://{plan.address(edge_of(topology))}:{API_PORT}",
            "token_file": TOKEN_OF_MACHINE,
            "report_ms": 500,
        }
        before = "" if self.guarded else f"sh -c 'flock --no-fork {_GUARD_LOCK} sleep infinity' &"
        return (
            NodeFile(AGENT_CONFIG, json.dumps(settings).encode()),
            starts_at_boot(20, DOCKER, *_PREPARES, _DOCKERD),
            starts_at_boot(
                40,
                "multisite-agent",
                f"mkdir -p {_AGENT_RUN}",
                *([before] if before else []),
                f"until [ -s {TOKEN_OF_MACHINE} ]; do sleep 0.1; done",
                f"{COMMAND} {AGENT} --config {AGENT_CONFIG}",
            ),
        )

    def _edge(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        found = list(UndeclaredMultisite.files(self, node, topology, plan))
        times = {key: getattr(self, key) for key in ("silent_ms", "lease_ms", "margin_ms", "drain_ms", "patience_ms")}
        more = f"api: 0.0.0.0:{API_PORT}\nplacement: {json.dumps(times)}\n".encode()
        return [NodeFile(one.path, one.content + more) if one.path == CONFIG else one for one in found]


_AGENT_RUN = "/run/multisite-agent"
_GUARD_LOCK = f"{_AGENT_RUN}/guard.lock"


@dataclass(frozen=True, slots=True)
class DockerHost(Subject):
    """Machines with Docker, and nothing that runs in it."""

    name = DOCKER_HOST
    image = "containers"
    standing: Sequence[Expected] = ()

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """What starts the daemon, which may name no rules of a packet filter: a node's kernel may have none for it."""
        return (starts_at_boot(20, DOCKER, *_PREPARES, _DOCKERD),)

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """Nothing to wait for."""
        return ()


@dataclass(frozen=True, slots=True)
class WebContainers(Web):
    """The image of a web server on every machine; nothing runs until it is placed."""

    name = WEB_CONTAINERS
    image = "containers"
    log_path = NOTES

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """The server, and what makes an image of it."""
        if node == edge_of(topology):
            return ()
        program = Path(__file__).with_name(WEB_SERVER).read_bytes()
        script = _MAKES_IMAGE.replace("PROGRAM", _PROGRAM).replace("INSIDE", _INSIDE)
        command = json.dumps(runs("api"))
        return (
            NodeFile(_PROGRAM, program),
            NodeFile("/usr/lib/harness-web/make_image.py", script.encode()),
            starts_at_boot(
                30,
                self.name,
                "mkdir -p /var/log/web",
                f"python3 /usr/lib/harness-web/make_image.py '{command}' {' '.join(IMAGES)}",
            ),
        )

    def said(self, node: str, t_s: float, event: str, fields: dict[str, object]) -> Event:
        """A note that it runs, or of a request. Raises what a torn line raises."""
        if event == "running":
            return ReplicaRan(t_s=t_s, node=node, service=str(fields["service"]), replica=str(fields["replica"]))
        return Web.said(self, node, t_s, event, fields)
