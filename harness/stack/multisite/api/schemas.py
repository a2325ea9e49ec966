"""What the API takes and gives beside the entries of the inventory."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

from ..inventory.declared import Change
from ..inventory.entries import (
    BackendEntry,
    DeployEntry,
    Domain,
    Entry,
    HeaderName,
    HeaderValue,
    Host,
    Name,
    Priority,
    ServiceEntry,
    SiteEntry,
    Tag,
    Weight,
    endpoint_of,
    health_of,
    subnet_of,
)

Item = TypeVar("Item")
HIGHEST_ID = 2**31 - 1


def _absent() -> Any:
    """Stands for a field that was not given; never read, since only what was given is. No part of the schema."""
    return Field(default=None, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class SitePatch(Entry):
    """Only what is given is touched."""

    name: Name = _absent()
    wg_endpoint: Annotated[str, Field(max_length=300), AfterValidator(endpoint_of)] | None = _absent()
    wg_subnet: Annotated[str, Field(max_length=64), AfterValidator(subnet_of)] | None = _absent()
    priority: Priority = _absent()
    weight: Weight = _absent()


class ServicePatch(Entry):
    """Only what is given is touched."""

    name: Name = _absent()
    domains: Annotated[list[Domain], Field(min_length=1, max_length=100)] = _absent()
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=50)] = _absent()
    deploy: DeployEntry | None = _absent()


class BackendPatch(Entry):
    """Only what is given is touched."""

    service: Name = _absent()
    site: Name = _absent()
    host: Host = _absent()
    port: Annotated[int, Field(ge=1, le=65535)] = _absent()
    health: Annotated[str, Field(max_length=2000), AfterValidator(health_of)] = _absent()
    weight: Weight | None = _absent()
    priority: Priority | None = _absent()
    tags: Annotated[list[Tag], Field(max_length=50)] = _absent()
    draining: bool = _absent()


class Site(SiteEntry):
    """A site; ``version`` is its ETag."""

    id: int
    version: int


class Service(ServiceEntry):
    """A service; ``version`` is its ETag."""

    id: int
    version: int


class BackendOut(BackendEntry):
    """A backend, and what was seen of it last: null before anything was."""

    id: int
    version: int
    is_healthy: bool | None
    last_checked: datetime | None
    latency_ms: float | None
    detail: str | None


class Page(BaseModel, Generic[Item]):
    """Some of many: ask for the ones after ``next`` to go on; null at the end."""

    items: list[Item]
    total: int
    next: int | None


class HealthEvent(BaseModel):
    """A look at a backend that was kept: a change, or the regular sample."""

    id: int
    status: Literal["up", "down"]
    latency_ms: float | None
    at: datetime
    detail: str | None


class Version(BaseModel):
    """A configuration of the edge."""

    id: int
    digest: str
    created_at: datetime
    applied_at: datetime | None
    refused: str | None
    held: bool


class VersionDocument(Version):
    """With all of its text."""

    document: Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]


class TokenIn(Entry):
    """A token to be made."""

    name: Name
    role: Literal["agent", "read", "operate", "admin"]


class Token(BaseModel):
    """Without the token itself: that is known to its owner only."""

    name: str
    role: Literal["agent", "read", "operate", "admin"]
    created_at: datetime


class NewToken(Token):
    """Shown this once."""

    token: str


class ChangeOut(BaseModel):
    """One thing that was done, or would be."""

    what: Literal["add", "change", "remove"]
    kind: Literal["site", "service", "backend"]
    name: str
    fields: dict[str, tuple[Any, Any]]

    @classmethod
    def of(cls, change: Change) -> "ChangeOut":
        """Its JSON."""
        return cls(what=change.what, kind=change.kind, name=change.name, fields=dict(change.fields))


class Changes(BaseModel):
    """What leads to the inventory that was sent."""

    done: bool
    changes: list[ChangeOut]


class Problem(BaseModel):
    """Why not, in one line."""

    detail: str
