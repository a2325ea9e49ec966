"""The machines that keep the inventory together: /copies. All but one route are for themselves, by a key of theirs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException

from ..copies.messages import KEY_HEADER, Answer, Claim, CopiesState, Copy, Files
from ..inventory.errors import NotThere
from . import rows
from .access import READ, Daemon

router = APIRouter(prefix="/copies", tags=["copies"], responses=rows.PROBLEMS)


def _one_of_us(daemon: Daemon, key: Annotated[str, Header(alias=KEY_HEADER, max_length=1000)] = "") -> None:
    if not daemon.copies.knows(key):
        raise HTTPException(401, f"this is for the machines with a copy, which know the key in {KEY_HEADER}")


US = Depends(_one_of_us)


@router.get("", dependencies=[READ])
def state(daemon: Daemon) -> CopiesState:
    """Who leads, and who lacks the newest change; 404 where there is one machine only."""
    found = daemon.copies.state()
    if found is None:
        raise NotThere("this platform is on one machine")
    return found


@router.post("/claim", dependencies=[US], include_in_schema=False)
def claim(daemon: Daemon, said: Claim) -> Answer:
    """Another machine wants to lead."""
    return daemon.copies.claimed(said)


@router.put("", dependencies=[US], include_in_schema=False)
def take(daemon: Daemon, said: Copy) -> Answer:
    """The leader has something newer, or asks whether."""
    return daemon.copies.taken(said)


@router.put("/certificates", status_code=204, dependencies=[US], include_in_schema=False)
def keep(daemon: Daemon, said: Files) -> None:
    """The leader has certificates."""
    daemon.copies.kept(said)
