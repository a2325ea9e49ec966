"""How a failover test has a node of the cluster die with all that runs on it, and come back. Pure."""

from ..inventory.core import Role, Server
from ..plan.core import Command
from ..plan.dying import back, killed
from .places import MASTER_UNIT, WORKER_UNIT

_PODS = "kubepods.slice"
_K3S = "pgrep -x 'k3s-server|k3s-agent'"


def node_dies(server: Server, ports: tuple[int, ...]) -> tuple[Command, ...]:
    """First who would start everything again, which is its own K3s; then all pods, until nobody has these ports."""
    served = f"ss -Htln '{' or '.join(f'sport = :{port}' for port in ports)}' | grep -q ."
    gone = f"for _ in $(seq 50); do {served} || break; sleep 0.1; done"
    pods = Command(f"systemctl kill --signal=KILL --kill-whom=all {_PODS}; {gone}", f"! {served}")
    return killed((_unit(server),), _K3S), pods


def node_back(server: Server) -> Command:
    """Its K3s starts again, and what belongs on it."""
    return back((_unit(server),))


def _unit(server: Server) -> str:
    return MASTER_UNIT if Role.K3S_MASTER in server.roles else WORKER_UNIT
