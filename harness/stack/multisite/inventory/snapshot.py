"""The inventory as routing and health see it: complete, in a fixed order, without a database. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .declared import Declared
from .entries import BackendEntry, SiteEntry, address_of


@dataclass(frozen=True, slots=True)
class Backend:
    """One server of a service; what it did not say itself is its site's."""

    service: str
    site: str
    host: str
    port: int
    health: str
    priority: int
    weight: int
    draining: bool = False
    idle: bool = False
    """A place where a container may come, and none serves: nobody looks at it, and it takes no traffic."""

    @property
    def address(self) -> str:
        """HOST:PORT, as the edge dials it."""
        return address_of(self.host, self.port)

    @property
    def key(self) -> tuple[str, str]:
        """Service and address: one of each."""
        return (self.service, self.address)


@dataclass(frozen=True, slots=True)
class Service:
    """A name, its domains, and its pool: the backends in the order of priority, then of address."""

    name: str
    domains: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    backends: tuple[Backend, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All services, by name."""

    services: tuple[Service, ...] = ()

    @property
    def backends(self) -> tuple[Backend, ...]:
        """Every backend of every service."""
        return tuple(backend for service in self.services for backend in service.backends)


def snapshot_of(declared: Declared, places: Iterable[Backend] = ()) -> Snapshot:
    """The same inventory gives the same snapshot, in whatever order it was entered; ``places`` are those of containers
    that the platform runs, one that was entered as well is a backend and no place."""
    sites = {site.name: site for site in declared.sites}
    pools: dict[str, list[Backend]] = {service.name: [] for service in declared.services}
    for entry in declared.backends:
        pools[entry.service].append(_backend(entry, sites[entry.site]))
    entered = {backend.key for pool in pools.values() for backend in pool}
    for place in places:
        if place.key not in entered:
            pools[place.service].append(place)
    return Snapshot(
        tuple(
            Service(one.name, tuple(one.domains), dict(sorted(one.headers.items())), _in_order(pools[one.name]))
            for one in sorted(declared.services, key=lambda service: service.name)
        )
    )


def _backend(entry: BackendEntry, site: SiteEntry) -> Backend:
    return Backend(
        service=entry.service,
        site=entry.site,
        host=entry.host,
        port=entry.port,
        health=entry.health,
        priority=site.priority if entry.priority is None else entry.priority,
        weight=site.weight if entry.weight is None else entry.weight,
        draining=entry.draining,
    )


def _in_order(backends: Iterable[Backend]) -> tuple[Backend, ...]:
    return tuple(sorted(backends, key=lambda one: (one.priority, one.host, one.port)))
