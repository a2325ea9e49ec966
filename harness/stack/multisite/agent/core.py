"""What has to be done on a machine so that it runs what it was told to. Pure.

What nobody speaks of is left alone, so a platform that has forgotten everything ends nothing, unless its place was
given to another one: such a container was being made just when it was given up. An exclusive container is
started only while its lease lasts; that it ends in time is the guard's business, who outlives the agent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..inventory.reports import Assignment

Do = Literal["create", "start", "stop", "remove"]


@dataclass(frozen=True, slots=True)
class Container:
    """One that has our labels, as Docker has it. ``replica``: its number if it was placed; ``port``: where it is
    published on this machine, 0 while it is nowhere."""

    name: str
    service: str
    running: bool
    replica: int | None = None
    port: int = 0
    health: str = "/health"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do with a container; ``assignment`` is what it is made from."""

    do: Do
    name: str
    replica: int
    assignment: Assignment | None = None


def name_of(assignment: Assignment) -> str:
    """What the container is called."""
    return f"multisite-{assignment.service}-{assignment.replica}"


def decide(
    assignments: Iterable[Assignment], containers: Iterable[Container], busy: Iterable[int], *, leased: bool
) -> list[Action]:
    """The next actions; replicas that something is done with already (``busy``) have their turn later."""
    there = {one.replica: one for one in containers if one.replica is not None}
    wanted = {one.replica: one for one in assignments}
    found: list[Action] = []
    for number, one in wanted.items():
        do = _next(one, there.get(number), leased=leased)
        if do is not None:
            found.append(Action(do, name_of(one), number, one))
    taken = {one.port for one in wanted.values() if one.phase == "run"}
    for number, container in there.items():
        if number not in wanted and container.port in taken:
            found.append(Action("stop" if container.running else "remove", container.name, number))
    return [one for one in found if one.replica not in busy]


def _next(assignment: Assignment, container: Container | None, *, leased: bool) -> Do | None:
    if assignment.phase == "stop":
        if container is None:
            return None
        return "stop" if container.running else "remove"
    if assignment.phase == "drain":
        return None
    if assignment.deploy.exclusive and not leased:
        return None
    if container is None:
        return "create"
    return None if container.running else "start"
