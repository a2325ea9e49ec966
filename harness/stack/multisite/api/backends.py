"""Backends: /backends."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from ..inventory import seen, stored
from ..inventory.entries import NAME_PATTERN, BackendEntry
from ..inventory.tables import BackendRow
from . import rows
from .access import OPERATE, READ, Daemon, Expected, Inventory
from .rows import After, Before, IdPath, Limit
from .schemas import BackendOut, BackendPatch, HealthEvent, Page

router = APIRouter(prefix="/backends", tags=["backends"], responses=rows.PROBLEMS)
Filter = Annotated[str | None, Query(pattern=NAME_PATTERN)]


@router.get("", dependencies=[READ])
def list_backends(
    inventory: Inventory, limit: Limit = 100, after: After = 0, service: Filter = None, site: Filter = None
) -> Page[BackendOut]:
    """A page of them: all, or those of a service, of a site."""
    with inventory.reading() as session:
        found = stored.page(session, BackendRow, limit, after, *stored.backends_of(service, site))
        return rows.page(*found, limit, rows.backend)


@router.post("", status_code=201, dependencies=[OPERATE])
def add_backend(inventory: Inventory, daemon: Daemon, entry: BackendEntry, response: Response) -> BackendOut:
    """A new one. Its site and service are there already (404)."""
    with inventory.changing() as session:
        row = stored.add(session, entry)
        response.headers["Location"] = f"/backends/{row.id}"
        result = rows.shown(row, rows.backend, response)
    daemon.poke()
    return result


@router.get("/{id}", dependencies=[READ])
def get_backend(inventory: Inventory, id: IdPath, response: Response) -> BackendOut:
    """One of them."""
    with inventory.reading() as session:
        return rows.shown(stored.backend(session, id), rows.backend, response)


@router.patch("/{id}", dependencies=[OPERATE])
def change_backend(
    inventory: Inventory, daemon: Daemon, *, id: IdPath, patch: BackendPatch, response: Response, expected: Expected
) -> BackendOut:
    """Change what is given, nothing else."""
    with inventory.changing() as session:
        row = stored.backend(session, id)
        stored.unchanged_since(row, expected)
        rows.patched(session, row, patch)
        result = rows.shown(row, rows.backend, response)
    daemon.poke()
    return result


@router.delete("/{id}", status_code=204, dependencies=[OPERATE])
def remove_backend(inventory: Inventory, daemon: Daemon, id: IdPath, expected: Expected) -> None:
    """Remove it."""
    with inventory.changing() as session:
        row = stored.backend(session, id)
        stored.unchanged_since(row, expected)
        session.delete(row)
    daemon.poke()


@router.get("/{id}/events", dependencies=[READ])
def history_of_backend(
    inventory: Inventory, id: IdPath, limit: Limit = 100, before: Before = None
) -> Page[HealthEvent]:
    """Its health events, the newest first; go on with those before ``next``."""
    with inventory.reading() as session:
        stored.backend(session, id)
        found = seen.history(session, id, limit, before)
        items = [HealthEvent.model_validate(one, from_attributes=True) for one in found]
        more = len(items) == limit
        return Page(items=items, total=seen.counted(session, id), next=items[-1].id if more else None)
