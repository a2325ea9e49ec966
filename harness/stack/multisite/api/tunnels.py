"""Tunnels of machines to the hub: /tunnels, /machines/NAME/tunnel. No key that comes by here is a private one."""

from fastapi import APIRouter, Request

from ..inventory.reports import TunnelAnswer, TunnelReport, TunnelState
from . import rows
from .access import AGENT, OPERATE, READ, Daemon, NamePath

router = APIRouter(tags=["tunnels"], responses=rows.PROBLEMS)


@router.get("/tunnels", dependencies=[READ])
def list_tunnels(daemon: Daemon) -> list[TunnelState]:
    """Every machine that has one, as the hub sees it."""
    return daemon.hub.tunnels()


@router.put("/machines/{name}/tunnel", dependencies=[AGENT])
def report_tunnel(daemon: Daemon, name: NamePath, report: TunnelReport, request: Request) -> TunnelAnswer:
    """What an agent says of its machine's tunnel; answered with its address and the hub's key."""
    return daemon.hub.report(name, report, request.client.host if request.client else "")


@router.post("/tunnels/{name}/rotate", status_code=204, dependencies=[OPERATE])
def rotate_tunnel(daemon: Daemon, name: NamePath) -> None:
    """That machine, or `hub`, makes a new key and changes to it; nothing is cut off meanwhile."""
    daemon.hub.rotate(name)


@router.delete("/tunnels/{name}", status_code=204, dependencies=[OPERATE])
def remove_tunnel(daemon: Daemon, name: NamePath) -> None:
    """The hub lets that machine in no more; take its token as well, or it comes back."""
    daemon.hub.remove(name)
