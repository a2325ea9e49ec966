"""The API and the front in K3s: on every node that has the role, in the network of its host, behind the ingress. Pure.

Nothing between visitor and service goes through VXLAN: the ingress and the services have the addresses of their nodes.
"""

import hashlib
from collections.abc import Mapping

from ..inventory.core import Inventory, Role
from ..k3s.module import INGRESS_CLASS
from ..k3s.places import INGRESS_NODE_PORT, MANIFESTS, PING_PORT, labelled, names, nodes_of, up
from ..k3s.places import LABEL as PREFIX
from ..plan.balancer import haproxy
from ..plan.beginning import each
from ..plan.core import Action, Directory, File, Stage
from ..plan.module import ModuleImpossible
from ..templates.render import render
from .places import (
    API_NODE_PORT,
    API_PORT,
    FRONT_NODE_PORT,
    FRONT_PORT,
    WEB_PORT,
    api_host,
    front_host,
    place,
    texts,
)
from .settings import api_settings, front_settings

NAMESPACE = "keyservices"
IMAGE = "docker.io/library/python:3.13-slim"
_UP_WITHIN_S = 180


def stages(inventory: Inventory, secrets: Mapping[str, str]) -> tuple[Stage, ...]:
    """What every master makes so in the cluster; then who is in front of it. Raises ModuleImpossible."""
    masters, balancers, servers = inventory.of(Role.K3S_MASTER), inventory.of(Role.HAPROXY), inventory.of(Role.APPS)
    nodes = nodes_of(inventory)
    if outside := [one.name for one in servers if one not in nodes]:
        raise ModuleImpossible(f"{', '.join(outside)}: with K3s, API and front run on its nodes alone")
    text = manifest(inventory, secrets)
    written: tuple[Action, ...] = (
        Directory(MANIFESTS, 0o700),
        File(f"{MANIFESTS}/keyservices-apps.yaml", text, 0o600),
    )
    section = render(
        "haproxy-ingress.cfg.j2",
        port=WEB_PORT,
        ping_port=PING_PORT,
        servers=[f"{one.name} {place(one, INGRESS_NODE_PORT)}" for one in nodes],
    )
    running = tuple(up(_UP_WITHIN_S, "daemonset", f"{NAMESPACE}/{one}", *names(servers)) for one in ("api", "front"))
    return (
        Stage("nodes", {masters[0].name: labelled(servers, Role.APPS)}),
        Stage("daemonsets", each(masters, written)),
        Stage("running", each(masters, running)),
        Stage("ingress", each(balancers, haproxy("apps", section))),
    )


def manifest(inventory: Inventory, secrets: Mapping[str, str]) -> str:
    """All of it."""
    servers, programs = inventory.of(Role.APPS), texts()
    settings = {
        "api.json": api_settings(inventory, secrets, "0.0.0.0"),
        "front.json": front_settings([place(one, API_PORT) for one in servers], "0.0.0.0"),
    }
    digest = hashlib.sha256(repr(sorted({**programs, **settings}.items())).encode()).hexdigest()
    shared = render("k3s-apps.yaml.j2", within=NAMESPACE, programs=programs, settings=settings)
    services = (
        ("api", API_PORT, API_NODE_PORT, api_host(inventory)),
        ("front", FRONT_PORT, FRONT_NODE_PORT, front_host(inventory)),
    )
    return "".join((shared, *(_service(*service, digest) for service in services)))


def _service(name: str, port: int, node_port: int, host: str, digest: str) -> str:
    return render(
        "k3s-apps-service.yaml.j2",
        within=NAMESPACE,
        image=IMAGE,
        ingress_class=INGRESS_CLASS,
        label=f"{PREFIX}/{Role.APPS.value}",
        digest_key=f"{PREFIX}/digest",
        digest=digest,
        name=name,
        port=port,
        node_port=node_port,
        host=host,
    )
