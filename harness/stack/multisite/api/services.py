"""Services: /services."""

from fastapi import APIRouter, Response

from ..inventory import stored
from ..inventory.entries import ServiceEntry
from ..inventory.tables import ServiceRow
from . import rows
from .access import OPERATE, READ, Daemon, Expected, Inventory, NamePath
from .rows import After, Limit
from .schemas import Page, Service, ServicePatch

router = APIRouter(prefix="/services", tags=["services"], responses=rows.PROBLEMS)


@router.get("", dependencies=[READ])
def list_services(inventory: Inventory, limit: Limit = 100, after: After = 0) -> Page[Service]:
    """A page of them."""
    with inventory.reading() as session:
        return rows.page(*stored.page(session, ServiceRow, limit, after), limit, rows.service)


@router.post("", status_code=201, dependencies=[OPERATE])
def add_service(inventory: Inventory, daemon: Daemon, entry: ServiceEntry, response: Response) -> Service:
    """A new one."""
    with inventory.changing() as session:
        row = stored.add(session, entry)
        response.headers["Location"] = f"/services/{entry.name}"
        result = rows.shown(row, rows.service, response)
    daemon.poke()
    return result


@router.get("/{name}", dependencies=[READ])
def get_service(inventory: Inventory, name: NamePath, response: Response) -> Service:
    """One of them."""
    with inventory.reading() as session:
        return rows.shown(stored.named(session, ServiceRow, name), rows.service, response)


@router.patch("/{name}", dependencies=[OPERATE])
def change_service(
    inventory: Inventory, daemon: Daemon, *, name: NamePath, patch: ServicePatch, response: Response, expected: Expected
) -> Service:
    """Change what is given, nothing else."""
    with inventory.changing() as session:
        row = stored.named(session, ServiceRow, name)
        stored.unchanged_since(row, expected)
        rows.patched(session, row, patch)
        result = rows.shown(row, rows.service, response)
    daemon.poke()
    return result


@router.delete("/{name}", status_code=204, dependencies=[OPERATE])
def remove_service(inventory: Inventory, daemon: Daemon, name: NamePath, expected: Expected) -> None:
    """Remove it, and its backends."""
    with inventory.changing() as session:
        row = stored.named(session, ServiceRow, name)
        stored.unchanged_since(row, expected)
        session.delete(row)
    daemon.poke()
