"""The API and the front as units of systemd on servers, with HAProxy of the balancers before them. Pure."""

from collections.abc import Mapping, Sequence

from ..inventory.core import Inventory, Role, Server
from ..plan.balancer import haproxy
from ..plan.beginning import each
from ..plan.core import Action, Directory, File, Packages, Stage, Unit
from ..plan.dying import unmasked
from ..templates.render import render
from .places import (
    API_PORT,
    API_UNIT,
    FRONT_PORT,
    FRONT_UNIT,
    HOME,
    ROOM,
    SETTINGS,
    WEB_PORT,
    answers,
    api_host,
    front_host,
    in_order,
    place,
    programs,
)
from .settings import api_settings, front_settings

_ANSWERS_WITHIN_S = 30


def prepared() -> tuple[Action, ...]:
    """What a server needs before anything runs."""
    return (Packages(("python3", "procps")), Directory(SETTINGS), *programs(), unmasked(API_UNIT), unmasked(FRONT_UNIT))


def stages(inventory: Inventory, secrets: Mapping[str, str]) -> tuple[Stage, ...]:
    """The API, then the front that asks it, then who is in front of both."""
    servers, balancers = inventory.of(Role.APPS), inventory.of(Role.HAPROXY)
    return (
        Stage("API", {one.name: _api(one, inventory, secrets) for one in servers}),
        Stage("front", {one.name: _front(one, servers) for one in servers}),
        Stage("ingress", each(balancers, haproxy("apps", _section(inventory, servers)))),
    )


def _api(server: Server, inventory: Inventory, secrets: Mapping[str, str]) -> tuple[Action, ...]:
    settings = api_settings(inventory, secrets, server.address)
    return _service("api", API_UNIT, settings, answers(place(server, API_PORT), "api", "/readyz", _ANSWERS_WITHIN_S))


def _front(server: Server, servers: Sequence[Server]) -> tuple[Action, ...]:
    settings = front_settings(in_order(server, servers, API_PORT), server.address)
    return _service(
        "front", FRONT_UNIT, settings, answers(place(server, FRONT_PORT), "front", "/readyz", _ANSWERS_WITHIN_S)
    )


def _service(name: str, unit: str, settings: str, proof: Action) -> tuple[Action, ...]:
    conf, path = f"{SETTINGS}/{name}.json", f"/etc/systemd/system/{unit}"
    text = render("apps-service.service.j2", name=name, home=HOME, settings=conf)
    return (
        File(conf, settings, 0o640, "root:www-data"),
        File(path, text),
        Unit(unit, (conf, path, ROOM)),
        proof,
    )


def _section(inventory: Inventory, servers: Sequence[Server]) -> str:
    frontend = render(
        "haproxy-apps.cfg.j2", port=WEB_PORT, front_host=front_host(inventory), api_host=api_host(inventory)
    )
    backends = (
        render("haproxy-apps-backend.cfg.j2", name=name, servers=[f"{one.name} {place(one, port)}" for one in servers])
        for name, port in (("front", FRONT_PORT), ("api", API_PORT))
    )
    return "".join((frontend, *backends))
