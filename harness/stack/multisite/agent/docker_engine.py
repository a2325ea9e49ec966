"""Containers by the API of Docker (docs.docker.com/reference/api/engine)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import docker
import docker.errors
import requests

from ..inventory.reports import Assignment
from .core import Container
from .ports import EngineError

SERVICE, PORT, HEALTH = "multisite.service", "multisite.port", "multisite.health"
REPLICA = "multisite.replica"
TIMEOUT_S = 60.0
API_VERSION = "1.41"
"""Of Docker 20.10, the oldest that will do."""
STOP_WITHIN_S = 10
CPU_PERIOD_US = 100_000


class DockerEngine:
    """One daemon. ``address`` is where containers are published."""

    def __init__(self, url: str, address: str) -> None:
        self._address = address
        with _plainly():
            # With a version it does not ask for one, so nobody has to answer yet.
            self._docker = docker.DockerClient(base_url=url, timeout=TIMEOUT_S, version=API_VERSION)

    def containers(self) -> Sequence[Container]:
        """Those with our labels, running or not."""
        with _plainly():
            # One call, whatever their number; a look at each would race with those that go.
            found = self._docker.api.containers(all=True, filters={"label": [SERVICE]})
        return [_container(one) for one in found]

    def create(self, name: str, assignment: Assignment) -> None:
        """Make one and start it. One that was made before and not started is replaced."""
        deploy = assignment.deploy
        binding = {f"{deploy.port}/tcp": (self._address, assignment.port)}
        limits: dict[str, Any] = {}
        if deploy.cpu_millis:
            limits |= {"cpu_period": CPU_PERIOD_US, "cpu_quota": deploy.cpu_millis * CPU_PERIOD_US // 1000}
        if deploy.memory_mb:
            limits["mem_limit"] = f"{deploy.memory_mb}m"
        with _plainly():
            try:
                self._docker.images.get(deploy.image)
            except docker.errors.ImageNotFound:
                self._docker.images.pull(deploy.image)
            self._docker.containers.run(
                deploy.image,
                deploy.command or None,
                name=name,
                detach=True,
                environment=dict(deploy.env),
                ports=binding,
                volumes=[*deploy.mounts],
                labels={
                    SERVICE: assignment.service,
                    REPLICA: str(assignment.replica),
                    PORT: str(deploy.port),
                    HEALTH: deploy.health,
                },
                # Docker itself starts it again, without us and after a loss of power; not what needs a lease.
                restart_policy={"Name": "no" if deploy.exclusive else "always"},
                hostname=name[:63],
                **limits,
            )

    def start(self, name: str) -> None:
        """Start one that is there."""
        self._with(name, lambda one: one.start())

    def stop(self, name: str) -> None:
        """Ask it to end, and end it if it does not."""
        self._with(name, lambda one: one.stop(timeout=STOP_WITHIN_S))

    def remove(self, name: str) -> None:
        """Remove one that has ended."""
        self._with(name, lambda one: one.remove(force=True))

    def pid(self, name: str) -> int | None:
        """Its first process, if it runs."""
        found: list[int] = []
        self._with(name, lambda one: found.append(int(one.attrs["State"]["Pid"])))
        return found[0] if found and found[0] else None

    def _with(self, name: str, work: Callable[[Any], object]) -> None:
        with _plainly():
            try:
                work(self._docker.containers.get(name))
            except docker.errors.NotFound:
                return


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except (docker.errors.DockerException, requests.RequestException) as error:
        said = getattr(error, "explanation", None) or error
        raise EngineError(f"docker: {str(said).splitlines()[0] if str(said) else type(error).__name__}") from error


def _container(one: dict[str, Any]) -> Container:
    labels = one["Labels"]
    inside, number = labels.get(PORT, ""), labels.get(REPLICA, "")
    published = [
        port.get("PublicPort", 0)
        for port in one.get("Ports") or []
        if str(port.get("PrivatePort")) == inside and port.get("Type") == "tcp" and port.get("PublicPort")
    ]
    host = one.get("HostConfig", {}).get("NetworkMode") == "host"
    return Container(
        name=one["Names"][0].lstrip("/"),
        service=labels[SERVICE],
        running=one["State"] == "running",
        replica=int(number) if number.isdigit() else None,
        port=int(inside) if host and inside.isdigit() else (published or [0])[0],
        health=labels.get(HEALTH, "/health"),
    )
