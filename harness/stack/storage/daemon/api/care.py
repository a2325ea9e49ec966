"""What is done for volumes that are well: snapshots, and storage classes by use."""

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel

from .access import PROBLEMS, Daemon, Reader

router = APIRouter(prefix="/v1", tags=["seeing"], responses=PROBLEMS)
NOT_WANTED = "the settings say nothing of it"


class TieredVolume(BaseModel):
    """One, as it is used."""

    path: str
    storage_class: str
    size_bytes: int
    idle_s: float
    bytes_per_s: float
    least_copies: int


class ChangeOut(BaseModel):
    """A class that is due."""

    path: str
    before: str
    after: str
    least_copies: int
    cost_bytes: int
    why: str


class KeptOut(BaseModel):
    """A volume that stays as it is."""

    path: str
    storage_class: str
    why: str


class TieringOut(BaseModel):
    """As it was at the last look; ``waits``: why nothing at all is changed now."""

    looked_at_s: float | None
    waits: str
    volumes: list[TieredVolume] = []
    changes: list[ChangeOut] = []
    kept: list[KeptOut] = []


class SnapshotOut(BaseModel):
    """One that is there."""

    volume: str
    at_s: float
    kind: str
    name: str


class SnapshotsOut(BaseModel):
    """Of the volumes in one folder, as they were at the last look."""

    folder: str
    snapshots: list[SnapshotOut] = []
    due: list[str] = []
    trouble: str = ""


@router.get("/tiering")
async def tiering(daemon: Daemon, _who: Reader) -> TieringOut:
    """Volumes, how they are used, and which are to get another storage class. Changes are requests (/v1/requests)."""
    if daemon.tiering is None:
        return TieringOut(looked_at_s=None, waits=NOT_WANTED)
    seen = daemon.tiering.seen
    return TieringOut(
        looked_at_s=daemon.tiering.looked_at_s or None,
        waits=seen.plan.waits,
        volumes=[TieredVolume.model_validate(asdict(one)) for one in seen.volumes],
        changes=[ChangeOut(**asdict(one)) for one in seen.plan.changes],
        kept=[KeptOut(**asdict(one)) for one in seen.plan.kept],
    )


@router.get("/snapshots")
async def snapshots(daemon: Daemon, _who: Reader) -> list[SnapshotsOut]:
    """Those that are there, and what was due."""
    if daemon.snapshotting is None:
        return []
    return [
        SnapshotsOut(
            folder=str(folder),
            snapshots=[SnapshotOut(**asdict(one), name=one.name) for one in seen.taken],
            due=list(seen.due.make),
            trouble=seen.trouble,
        )
        for folder, seen in daemon.snapshotting.seen.items()
    ]
