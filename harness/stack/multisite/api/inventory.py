"""The inventory as a whole: /inventory."""

from typing import Annotated

from fastapi import APIRouter, Query

from ..inventory import stored
from ..inventory.declared import Declared, changes
from . import rows
from .access import OPERATE, READ, Daemon, Inventory
from .schemas import ChangeOut, Changes

router = APIRouter(prefix="/inventory", tags=["inventory"], responses=rows.PROBLEMS)


@router.get("", dependencies=[READ])
def export(inventory: Inventory) -> Declared:
    """All of it, as ``apply`` takes it."""
    with inventory.reading() as session:
        return stored.whole(session)


@router.put("", dependencies=[OPERATE])
def apply(inventory: Inventory, daemon: Daemon, wanted: Declared, dry_run: Annotated[bool, Query()] = False) -> Changes:
    """Make it exactly this, all or nothing; what is not in it is removed. With ``dry_run`` only tell what it takes."""
    if dry_run:
        with inventory.reading() as session:
            told = changes(stored.whole(session), wanted)
    else:
        with inventory.changing() as session:
            told = stored.make(session, wanted)
        daemon.poke()
    return Changes(done=not dry_run, changes=[ChangeOut.of(one) for one in told])
