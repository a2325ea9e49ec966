"""What sites, services and backends have in common: pages, entries with an ETag, changes of what is given."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Path, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.orm import Session

from ..inventory import stored
from ..inventory.entries import Entry
from ..inventory.tables import BackendRow, ServiceRow, SiteRow
from .access import etag
from .schemas import HIGHEST_ID, BackendOut, Page, Problem, Service, Site

Out = TypeVar("Out", Site, Service, BackendOut)
PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": text}
    for code, text in {
        400: "Not JSON",
        401: "No token, or nobody's",
        403: "The token's role does not suffice",
        404: "There is no such thing",
        409: "It contradicts what is there",
        412: "It was changed since the version in If-Match",
        503: "The database cannot be reached",
    }.items()
}
Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[int, Query(ge=0, le=HIGHEST_ID)]
Before = Annotated[int | None, Query(ge=1, le=HIGHEST_ID)]
IdPath = Annotated[int, Path(ge=1, le=HIGHEST_ID)]


def page(rows: Sequence[Any], total: int, limit: int, show: Callable[[Any], Out]) -> Page[Out]:
    """Rows as they are shown."""
    more = len(rows) == limit and bool(rows)
    return Page(items=[show(row) for row in rows], total=total, next=rows[-1].id if more else None)


def site(row: SiteRow) -> Site:
    """As it is shown."""
    return Site.model_construct(**stored.entry_of(row).model_dump(), id=row.id, version=row.version)


def service(row: ServiceRow) -> Service:
    """As it is shown."""
    entry = stored.entry_of(row)
    return Service.model_construct(**dict(entry), id=row.id, version=row.version)


def backend(row: BackendRow) -> BackendOut:
    """As it is shown."""
    seen = {
        name: getattr(row, name) for name in ("id", "version", "is_healthy", "last_checked", "latency_ms", "detail")
    }
    return BackendOut.model_construct(**stored.entry_of(row).model_dump(), **seen)


def shown(row: Any, show: Callable[[Any], Out], response: Response) -> Out:
    """One row, with its ETag."""
    response.headers.update(etag(row.version))
    return show(row)


def patched(session: Session, row: Any, patch: Entry) -> None:
    """Change what is given. Raises RequestValidationError where the whole would be wrong."""
    before = stored.entry_of(row)
    given = patch.model_dump(exclude_unset=True)
    try:
        after = type(before).model_validate(before.model_dump() | given)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from error
    stored.set_(session, row, after)
