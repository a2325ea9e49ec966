"""Sites: /sites."""

from fastapi import APIRouter, Response

from ..inventory import stored
from ..inventory.entries import SiteEntry
from ..inventory.tables import SiteRow
from . import rows
from .access import OPERATE, READ, Daemon, Expected, Inventory, NamePath
from .rows import After, Limit
from .schemas import Page, Site, SitePatch

router = APIRouter(prefix="/sites", tags=["sites"], responses=rows.PROBLEMS)


@router.get("", dependencies=[READ])
def list_sites(inventory: Inventory, limit: Limit = 100, after: After = 0) -> Page[Site]:
    """A page of them."""
    with inventory.reading() as session:
        return rows.page(*stored.page(session, SiteRow, limit, after), limit, rows.site)


@router.post("", status_code=201, dependencies=[OPERATE])
def add_site(inventory: Inventory, daemon: Daemon, entry: SiteEntry, response: Response) -> Site:
    """A new one."""
    with inventory.changing() as session:
        row = stored.add(session, entry)
        response.headers["Location"] = f"/sites/{entry.name}"
        result = rows.shown(row, rows.site, response)
    daemon.poke()
    return result


@router.get("/{name}", dependencies=[READ])
def get_site(inventory: Inventory, name: NamePath, response: Response) -> Site:
    """One of them."""
    with inventory.reading() as session:
        return rows.shown(stored.named(session, SiteRow, name), rows.site, response)


@router.patch("/{name}", dependencies=[OPERATE])
def change_site(
    inventory: Inventory, daemon: Daemon, *, name: NamePath, patch: SitePatch, response: Response, expected: Expected
) -> Site:
    """Change what is given, nothing else."""
    with inventory.changing() as session:
        row = stored.named(session, SiteRow, name)
        stored.unchanged_since(row, expected)
        rows.patched(session, row, patch)
        result = rows.shown(row, rows.site, response)
    daemon.poke()
    return result


@router.delete("/{name}", status_code=204, dependencies=[OPERATE])
def remove_site(inventory: Inventory, daemon: Daemon, name: NamePath, expected: Expected) -> None:
    """Remove it, and its backends."""
    with inventory.changing() as session:
        row = stored.named(session, SiteRow, name)
        stored.unchanged_since(row, expected)
        session.delete(row)
    daemon.poke()
