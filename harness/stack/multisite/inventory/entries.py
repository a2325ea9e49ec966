"""What a person says of a site, a service and a backend: checked, and brought to one spelling. Pure.

The same models are the bodies of the API and the entries of a declarative file.
"""

import hashlib
import ipaddress
import json
import re
from typing import Annotated
from urllib.parse import urlsplit

import idna
from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, model_validator

NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
HEADER_PATTERN = r"^[A-Za-z0-9-]{1,64}$"
HIGHEST_PRIORITY = 1000
HIGHEST_WEIGHT = 100
LONGEST_DOMAIN = 253
IMAGE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"
MOST_PER_MACHINE = 7
_HEALTH_PATH = re.compile(r"^/[!-~]*$")
# RFC 9110, 5.5: what a field value may hold; no line can be smuggled in.
_HEADER_VALUE = r"^[\x20-\x7e]*$"


def domain_of(given: str) -> str:
    """A domain as DNS has it: lower case, IDNA 2008 (RFC 5891). Raises ValueError that says what is wrong."""
    if "*" in given:
        raise ValueError(f"{given!r}: wildcards are not supported; name each domain")
    try:
        domain = idna.encode(given.strip().rstrip("."), uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"{given!r} is not a domain: {error}") from error
    if len(domain) > LONGEST_DOMAIN:
        raise ValueError(f"{given!r} is not a domain: longer than {LONGEST_DOMAIN} characters")
    return domain


def host_of(given: str) -> str:
    """An IP address or a host name, without brackets. Raises ValueError."""
    try:
        return str(ipaddress.ip_address(given.strip().strip("[]")))
    except ValueError:
        if re.fullmatch(r"[0-9.]+", given):
            raise ValueError(f"{given!r} is not an IPv4 address") from None
        return domain_of(given)


def subnet_of(given: str) -> str:
    """A network such as 10.200.3.0/24. Raises ValueError."""
    return str(ipaddress.ip_network(given.strip()))


def endpoint_of(given: str) -> str:
    """HOST:PORT of a WireGuard peer. Raises ValueError."""
    host, colon, port = given.strip().rpartition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ValueError(f"{given!r} must be HOST:PORT")
    return address_of(host_of(host), int(port))


def address_of(host: str, port: int) -> str:
    """HOST:PORT as sockets and the edge write it; an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def health_of(given: str) -> str:
    """A path, or an http URL whose path counts. Raises ValueError."""
    if given.startswith("/"):
        if not _HEALTH_PATH.match(given):
            raise ValueError(f"{given!r} must be a path of printable ASCII without spaces")
        return given
    url = urlsplit(given)
    if url.scheme != "http" or not url.hostname:
        raise ValueError(f"{given!r} must be a path such as /health, or a URL that begins with http://")
    return given


Name = Annotated[str, Field(pattern=NAME_PATTERN, description="Small letters, digits and hyphens")]
Domain = Annotated[str, Field(min_length=1, max_length=LONGEST_DOMAIN), AfterValidator(domain_of)]
Host = Annotated[str, Field(min_length=1, max_length=LONGEST_DOMAIN), AfterValidator(host_of)]
Priority = Annotated[int, Field(ge=0, le=HIGHEST_PRIORITY, description="The lowest that works is used first")]
Weight = Annotated[int, Field(ge=0, le=HIGHEST_WEIGHT, description="Share among equals; 0: none of the traffic")]
HeaderName = Annotated[str, Field(pattern=HEADER_PATTERN)]
HeaderValue = Annotated[str, Field(pattern=_HEADER_VALUE, max_length=4000)]
Word = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00]*$")]
EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")]
Mount = Annotated[
    str, Field(max_length=500, pattern=r"^/[^:\x00]*:/[^:\x00]+(:ro)?$", description="HOST:CONTAINER[:ro]")
]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:=/-]{1,64}$")]


class Entry(BaseModel):
    """Strict: a name that is not known is a mistake, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class SiteEntry(Entry):
    """A place with machines behind one LAN; ``priority`` and ``weight`` are those of its backends that have none."""

    name: Name
    wg_endpoint: Annotated[str, Field(max_length=300), AfterValidator(endpoint_of)] | None = None
    wg_subnet: Annotated[str, Field(max_length=64), AfterValidator(subnet_of)] | None = None
    priority: Priority = 100
    weight: Weight = 1


class DeployEntry(Entry):
    """Containers that the platform runs for a service. ``port`` is where they listen inside, ``sites`` where they may
    be (anywhere if empty), ``apart_from`` services whose machines they avoid; 0 ``cpu_millis`` or ``memory_mb``: no
    limit. ``exclusive``: never two at a time, whatever is lost."""

    image: Annotated[str, Field(pattern=IMAGE_PATTERN, max_length=300)]
    port: Annotated[int, Field(ge=1, le=65535)]
    replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    health: Annotated[str, Field(max_length=2000, pattern=_HEALTH_PATH.pattern)] = "/health"
    command: Annotated[list[Word], Field(max_length=100)] = Field(default_factory=list)
    env: Annotated[dict[EnvironmentName, Word], Field(max_length=200)] = Field(default_factory=dict)
    mounts: Annotated[list[Mount], Field(max_length=50)] = Field(default_factory=list)
    cpu_millis: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    memory_mb: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    sites: Annotated[list[Name], Field(max_length=1000)] = Field(default_factory=list)
    apart_from: Annotated[list[Name], Field(max_length=1000)] = Field(default_factory=list)
    max_per_machine: Annotated[int, Field(ge=1, le=MOST_PER_MACHINE)] = 1
    exclusive: bool = False

    @model_validator(mode="after")
    def _one_if_exclusive(self) -> "DeployEntry":
        if self.exclusive and self.replicas > 1:
            raise ValueError(f"an exclusive service has one replica, not {self.replicas}")
        return self

    @property
    def revision(self) -> str:
        """A name for what runs: another one means that containers are replaced; how many and where is not in it."""
        whole = self.model_dump(exclude={"replicas", "sites", "apart_from", "max_per_machine"})
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:12]


class ServiceEntry(Entry):
    """Stable domains in front of a pool of backends; ``headers`` are set on every answer. ``deploy``: the platform runs
    containers for it, beside the backends that are entered."""

    name: Name
    domains: Annotated[list[Domain], Field(min_length=1, max_length=100)]
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=50)] = Field(default_factory=dict)
    deploy: DeployEntry | None = None

    @model_validator(mode="after")
    def _each_domain_once(self) -> "ServiceEntry":
        twice = sorted({one for one in self.domains if self.domains.count(one) > 1})
        if twice:
            raise ValueError(f"domain {twice[0]} is given twice")
        return self


class BackendEntry(Entry):
    """A server of a service on a site. ``health`` is a path, or a URL when it is asked elsewhere.

    ``draining``: it gets nothing new, what is under way goes on.
    """

    service: Name
    site: Name
    host: Annotated[Host, Field(validation_alias=AliasChoices("host", "addr"))]
    port: Annotated[int, Field(ge=1, le=65535)]
    health: Annotated[str, Field(max_length=2000), AfterValidator(health_of)] = "/health"
    weight: Weight | None = None
    priority: Priority | None = None
    tags: Annotated[list[Tag], Field(max_length=50)] = Field(default_factory=list)
    draining: bool = False

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return address_of(self.host, self.port)

    @property
    def key(self) -> tuple[str, str]:
        """What makes it another backend: its service and where it listens."""
        return (self.service, self.address)
