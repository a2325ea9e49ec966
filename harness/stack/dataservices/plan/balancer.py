"""HAProxy on a balancer: what all services share, and a file a service, so that no module overwrites another's."""

from ..inventory.core import Role
from ..templates.render import render
from .core import Action, Directory, File, Unit
from .footprint import ANYBODY, Leftover, Opening

_CFG, _SERVICES = "/etc/haproxy/haproxy.cfg", "/etc/haproxy/services.d"
_UNIT = "/etc/systemd/system/haproxy.service.d/keyservices.conf"
BALANCER = Leftover((Role.HAPROXY,), ("haproxy.service",), ("/etc/haproxy", _UNIT))
"""Of every service behind balancers."""


def served(*ports: int) -> Opening:
    """A balancer's ports, which are for clients."""
    return Opening((Role.HAPROXY,), ports, ANYBODY)


def haproxy(service: str, section: str) -> tuple[Action, ...]:
    """It runs with this service's part of its configuration, beside those of others."""
    return (
        Directory(_SERVICES, 0o755),
        Directory("/etc/systemd/system/haproxy.service.d"),
        File(_CFG, render("haproxy.cfg.j2", services=_SERVICES), 0o640, "root:haproxy"),
        File(f"{_SERVICES}/{service}.cfg", section, 0o640, "root:haproxy"),
        File(_UNIT, render("haproxy-services.conf.j2", services=_SERVICES)),
        Unit("haproxy.service", (_CFG, _SERVICES, _UNIT)),
    )
