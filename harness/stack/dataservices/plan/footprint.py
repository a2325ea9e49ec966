"""What a module is to the rest of a server: where others reach it, what it needs of the kernel, what it leaves. Pure.

A module says each of these once. From them module 2 computes every server's firewall, and cleanup what it takes away.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..inventory.core import Role
from .core import Action
from .refusal import told_no_more

ANYBODY = ("0.0.0.0/0", "::/0")
"""Whom the ports of a balancer are for."""
EVERY = tuple(Role)


@dataclass(frozen=True, slots=True)
class Opening:
    """Ports that servers of these roles are reached at, by servers of other roles or by networks; by nobody else."""

    roles: tuple[Role, ...]
    ports: tuple[int | tuple[int, int], ...]
    """Each a port, or the first and the last of many."""
    to: tuple[Role | str, ...]
    protocol: Literal["tcp", "udp"] = "tcp"

    def __post_init__(self) -> None:
        """Raises ValueError: nobody should find out by being locked out."""
        for first, last in spans(self.ports):
            if not 0 < first <= last < 2**16:
                raise ValueError(f"{first}-{last} are no ports")
        for one in self.to:
            if isinstance(one, str):
                ipaddress.ip_network(one)


def spans(ports: Iterable[int | tuple[int, int]]) -> list[tuple[int, int]]:
    """Each as its first and its last port."""
    return [(one, one) if isinstance(one, int) else one for one in ports]


@dataclass(frozen=True, slots=True)
class Setting:
    """What servers of these roles need of their kernel (sysctl)."""

    roles: tuple[Role, ...]
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Leftover:
    """What is on servers of these roles afterwards, and goes when they are cleaned: in this order."""

    roles: tuple[Role, ...]
    units: tuple[str, ...] = ()
    """They are stopped, and start no more."""
    paths: tuple[str, ...] = ()
    """Files and whole folders, of settings and of data. What a package shares with others is no module's."""
    undone: tuple[Action, ...] = ()
    """What is no file: how it is when nothing is left."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """All of a module's."""

    openings: tuple[Opening, ...] = ()
    settings: tuple[Setting, ...] = ()
    leftovers: tuple[Leftover, ...] = ()


SHARED = Leftover(
    tuple(role for role in Role if role is not Role.INSTALLER),
    # Clients of failover tests that were killed.
    ("keyservices-*",),
    ("/etc/keyservices", "/usr/local/lib/keyservices", "/var/lib/keyservices"),
    (told_no_more(),),
)
"""Of all modules together."""
