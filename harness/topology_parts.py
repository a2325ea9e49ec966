"""The parts of a topology as drawn: sites, nodes with votes, links, virtual addresses, clients; each valid by itself.

Whether they fit together is the topology's to say (:mod:`harness.topology`, where others take them from).
"""

import ipaddress
import re
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, model_validator

from harness.character import Characterised

WAN = "wan"
"""The place of what belongs to no site: it hangs on the hub of the wide-area network."""

MAX_NODE_ID = 99
MAX_VOTES = 100
_NOT_OF_HOSTS = tuple(map(ipaddress.IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")))
"""This network, the host itself, link-local, multicast and what is reserved: no kernel routes them to a node."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,10}")
_NAME_RULE = "1 to 11 of a-z, 0-9 and '-', starting with a letter"


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r:.60} is no name; allowed: {_NAME_RULE}")
    return name


def _checked_address(address: str) -> str:
    try:
        return str(ipaddress.IPv4Address(address))
    except ValueError:
        raise ValueError(f"{address!r:.60} is no IPv4 address; allowed: four numbers, such as 10.77.1.100") from None


def _checked_subnet(subnet: str) -> str:
    try:
        network = ipaddress.IPv4Network(subnet)
    except ValueError:
        network = None
    if network is None or network.prefixlen != 24:  # host numbers are laid out for a /24
        raise ValueError(f"{subnet!r:.60} is no /24 network; allowed: such as 10.77.1.0/24")
    if any(network.overlaps(one) for one in _NOT_OF_HOSTS):
        raise ValueError(f"{subnet!r} has no addresses that hosts can have; allowed: such as 10.77.1.0/24")
    return str(network)


Name = Annotated[str, AfterValidator(_checked_name)]
Address = Annotated[str, AfterValidator(_checked_address)]
Subnet = Annotated[str, AfterValidator(_checked_subnet)]


class Part(BaseModel):
    """Does not change, and has no other keys than these."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NamedPart(Part):
    """One of several, told apart by its name."""

    name: Name


Named = TypeVar("Named", bound=NamedPart)


class Site(NamedPart):
    """A place whose nodes share one local network."""


class Node(NamedPart):
    """A machine of the cluster. ``id`` is its number in the cluster; by default its position in the file, from 1.

    ``engine`` names the engine that it runs on, where it is not to be that of the others.
    """

    site: Name
    id: Annotated[StrictInt, Field(ge=1, le=MAX_NODE_ID)]
    votes: Annotated[StrictInt, Field(ge=0, le=MAX_VOTES)] = 1
    engine: Annotated[str, Field(min_length=1, max_length=60)] | None = None


class Link(NamedPart, Characterised):
    """A part of the network with a character: what a site has to the hub of the WAN, what is between two sites, or what
    is between a node and its site. Just one of the three. Packets of a longer way meet the links on it one by one.
    """

    site: Name | None = None
    between: tuple[Name, Name] | None = None
    node: Name | None = None

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if [self.site, self.between, self.node].count(None) != 2:
            raise ValueError(f"{self.name}: says where it is by just one of these; allowed: site, between, node")
        if self.between is not None and self.between[0] == self.between[1]:
            raise ValueError(f"{self.name}: is between {self.between[0]} and itself; allowed: two sites")
        return self

    @property
    def place(self) -> str:
        """Where it is, for a person and for comparing."""
        if self.between is not None:
            return " and ".join(sorted(self.between))
        return self.site or f"node {self.node}"


class Vip(NamedPart):
    """A virtual address, held by at most one node at a time. Without ``address`` each run allocates one."""

    address: Address | None = None
    interface: Literal["eth0"] = "eth0"


class Client(NamedPart):
    """A place that users of the cluster connect from: inside a site, or on the hub of the WAN."""

    place: Name = WAN
