"""A whole inventory as one document, and what has to be done to get from one to another. Pure."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .entries import BackendEntry, Entry, ServiceEntry, SiteEntry

Kind = Literal["site", "service", "backend"]
MOST = 10_000


class Declared(Entry):
    """All that there is to be; what is not in it is to go."""

    sites: Annotated[list[SiteEntry], Field(max_length=MOST)] = Field(default_factory=list)
    services: Annotated[list[ServiceEntry], Field(max_length=MOST)] = Field(default_factory=list)
    backends: Annotated[list[BackendEntry], Field(max_length=MOST)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fits_together(self) -> "Declared":
        complaint = _complaint(self)
        if complaint:
            raise ValueError(complaint)
        return self


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to be done. ``fields`` holds what is different: name -> (before, after)."""

    what: Literal["add", "change", "remove"]
    kind: Kind
    name: str
    fields: Mapping[str, tuple[Any, Any]]

    def __str__(self) -> str:
        sign = {"add": "+", "change": "~", "remove": "-"}[self.what]
        told = ", ".join(f"{name}: {before!r} -> {after!r}" for name, (before, after) in self.fields.items())
        return f"{sign} {self.kind} {self.name}" + (f" ({told})" if self.what == "change" else "")


Item = SiteEntry | ServiceEntry | BackendEntry


def name_of(item: Item) -> str:
    """What people call it: a backend SERVICE@HOST:PORT."""
    return f"{item.service}@{item.address}" if isinstance(item, BackendEntry) else item.name


def kind_of(item: Item) -> Kind:
    """The word for it."""
    return "site" if isinstance(item, SiteEntry) else "service" if isinstance(item, ServiceEntry) else "backend"


def changes(now: Declared, wanted: Declared) -> list[Change]:
    """What leads from ``now`` to ``wanted``, in an order in which it can be done: what is named comes before who names
    it, and goes after."""
    found: list[Change] = []
    found += _removals(now.backends, wanted.backends)
    found += _removals(now.services, wanted.services)
    found += _settings(now.sites, wanted.sites)
    found += _settings(now.services, wanted.services)
    found += _settings(now.backends, wanted.backends)
    found += _removals(now.sites, wanted.sites)
    return found


def _removals(now: Sequence[Item], wanted: Sequence[Item]) -> list[Change]:
    stay = {name_of(one) for one in wanted}
    return [Change("remove", kind_of(one), name_of(one), {}) for one in now if name_of(one) not in stay]


def _settings(now: Sequence[Item], wanted: Sequence[Item]) -> list[Change]:
    there = {name_of(one): one.model_dump() for one in now}
    found: list[Change] = []
    for one in wanted:
        fields, before = one.model_dump(), there.get(name_of(one))
        different = {
            key: (before and before[key], value) for key, value in fields.items() if not before or before[key] != value
        }
        if different:
            found.append(Change("change" if before else "add", kind_of(one), name_of(one), different))
    return found


def _complaint(whole: Declared) -> str | None:
    sites, services = {one.name for one in whole.sites}, {one.name for one in whole.services}
    for kind in (whole.sites, whole.services, whole.backends):
        names = [name_of(one) for one in kind]
        if len(set(names)) < len(names):
            twice = next(name for index, name in enumerate(names) if name in names[:index])
            return f"{kind_of(kind[0])} {twice} is there twice"
    owners: dict[str, str] = {}
    for service in whole.services:
        for domain in service.domains:
            if domain in owners:
                return f"domain {domain} belongs to both {owners[domain]} and {service.name}"
            owners[domain] = service.name
    strange = [(one, site) for one in whole.services if one.deploy for site in one.deploy.sites if site not in sites]
    if strange:
        return f"service {strange[0][0].name}: there is no site {strange[0][1]}"
    return _complaint_of_backends(whole, sites, services)


def _complaint_of_backends(whole: Declared, sites: AbstractSet[str], services: AbstractSet[str]) -> str | None:
    for backend in whole.backends:
        if backend.service not in services:
            return f"backend {name_of(backend)}: there is no service {backend.service}"
        if backend.site not in sites:
            return f"backend {name_of(backend)}: there is no site {backend.site}"
    return None
