"""The configuration of the edge: /config."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from ..inventory import versions
from ..inventory.errors import NotThere
from ..inventory.tables import ConfigVersionRow
from . import rows
from .access import OPERATE, READ, Daemon, Inventory
from .rows import Before, IdPath, Limit
from .schemas import Version, VersionDocument

router = APIRouter(prefix="/config", tags=["config"], responses=rows.PROBLEMS)


@router.get("/versions", dependencies=[READ])
def list_versions(inventory: Inventory, limit: Limit = 20, before: Before = None) -> list[Version]:
    """The newest first."""
    with inventory.reading() as session:
        held = versions.held(session)
        return [_shown(one, held) for one in versions.newest(session, limit, before)]


@router.get("/versions/{id}", dependencies=[READ])
def get_version(inventory: Inventory, id: IdPath) -> VersionDocument:
    """One, with its text."""
    with inventory.reading() as session:
        row = session.get(ConfigVersionRow, id)
        if row is None:
            raise NotThere(f"there is no version {id} of the configuration")
        return _whole(session, row)


@router.post("/versions/{id}/hold", dependencies=[OPERATE])
def put_back(inventory: Inventory, daemon: Daemon, id: IdPath) -> Version:
    """Put a version back: the edge keeps it until ``release``, whatever the inventory says."""
    with inventory.changing() as session:
        row = versions.hold(session, id)
        shown = _shown(row, row)
    daemon.poke()
    return shown


@router.post("/release", status_code=204, dependencies=[OPERATE])
def release(inventory: Inventory, daemon: Daemon) -> None:
    """Follow the inventory again."""
    with inventory.changing() as session:
        versions.release(session)
    daemon.poke()


def _shown(row: ConfigVersionRow, held: ConfigVersionRow | None) -> Version:
    return Version(
        id=row.id,
        digest=row.digest,
        created_at=row.created_at,
        applied_at=row.applied_at,
        refused=row.refused,
        held=held is not None and held.id == row.id,
    )


def _whole(session: Session, row: ConfigVersionRow) -> VersionDocument:
    shown = _shown(row, versions.held(session))
    return VersionDocument(**shown.model_dump(), document=row.document)
