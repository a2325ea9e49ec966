"""Machines and what runs on them: /machines, /replicas."""

from fastapi import APIRouter

from ..inventory.reports import Answer, MachineState, ReplicaState, Report
from . import rows
from .access import AGENT, OPERATE, READ, Daemon, NamePath

router = APIRouter(tags=["machines"], responses=rows.PROBLEMS)


@router.get("/machines", dependencies=[READ])
def list_machines(daemon: Daemon) -> list[MachineState]:
    """Every machine that registered, as it is now."""
    return daemon.placing.machines()


@router.put("/machines/{name}/report", dependencies=[AGENT])
def report(daemon: Daemon, name: NamePath, report: Report) -> Answer:
    """What an agent says of its machine, which registers it; answered with what is to run there. The token is the
    machine's own (role agent, its name), or one that may operate."""
    return daemon.placing.report(name, report)


@router.delete("/machines/{name}", status_code=204, dependencies=[OPERATE])
def remove_machine(daemon: Daemon, name: NamePath) -> None:
    """It is no more: what ran there goes elsewhere. Refused while it may still run something."""
    daemon.placing.remove_machine(name)


@router.get("/replicas", dependencies=[READ])
def list_replicas(daemon: Daemon) -> list[ReplicaState]:
    """Every container that was placed, as it is now."""
    return daemon.placing.replicas()
