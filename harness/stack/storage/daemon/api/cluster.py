"""What other hosts said, and which of them are silent."""

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel

from ...peers.core.report import MappedVolume, Migration, Moving, Trouble
from .access import PROBLEMS, Daemon, Reader

router = APIRouter(prefix="/v1", tags=["seeing"], responses=PROBLEMS)


class NodeOut(BaseModel):
    """One host; what a silent one said last may be so no more."""

    name: str
    state: str
    age_s: float | None
    direct: bool
    version: str = ""
    level: int | None = None
    volumes: list[MappedVolume] = []
    moves: list[Moving] = []
    incidents: list[Trouble] = []
    migrations: list[Migration] = []
    more: int = 0


class ClusterOut(BaseModel):
    """All of them; ``name`` is this one."""

    name: str
    silent_after_s: float | None
    nodes: list[NodeOut]
    refused: dict[str, int]


class MigrationOut(BaseModel):
    """A volume that went from one host to another, or is on its way."""

    id: str
    vm: str
    volume: str
    source: str
    target: str
    state: str
    said: str
    mapping: str
    at_s: float
    until_s: float
    ended_at_s: float


@router.get("/migrations")
async def migrations(daemon: Daemon, _who: Reader) -> list[MigrationOut]:
    """Those that this host knows of, as they were at the last look."""
    return [MigrationOut.model_validate(asdict(one)) for one in daemon.migrating.every]


@router.get("/cluster")
async def cluster(daemon: Daemon, _who: Reader) -> ClusterOut:
    """What each host has mapped, its moves and incidents; of peers, as they said it."""
    if daemon.peering is None:
        return ClusterOut(name=daemon.node, silent_after_s=None, nodes=[], refused={})
    view = daemon.peering.view()
    nodes = [NodeOut(name=view.name, state="this one", age_s=0.0, direct=True)]
    nodes += [NodeOut.model_validate(asdict(one)) for one in view.standings(view.written_at_s)]
    for one in nodes:
        if (heard := view.known.get(one.name)) is not None:
            report = heard.report
            one.version, one.level, one.more = report.version, report.level, report.more
            one.volumes, one.moves = list(report.volumes), list(report.moves)
            one.incidents, one.migrations = list(report.incidents), list(report.migrations)
    return ClusterOut(name=view.name, silent_after_s=view.after_s, nodes=nodes, refused=dict(view.refused))
