"""Module 8: two ProxySQL before the Galera cluster of module 7.

An application writes and reads by one port: what only reads goes to any node in step, all else to one node. ProxySQL
asks the nodes itself how they are. Its package is in no distribution: whoever has it puts it into the folder of
packages, and each proxy gets a copy.

What is in its files counts each time it starts (--reload); its nodes, users and rules are in its own database, made
through its admin interface, and looked at there again by each rerun.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from ..credentials.core import PROXYSQL, Credentials
from ..inventory.core import Inventory, Role, Server
from ..plan.beginning import beginning, each
from ..plan.core import Action, Carried, Check, Command, Directory, File, Packages, Plan, Stage, Unit
from ..plan.footprint import ANYBODY, Footprint, Leftover, Opening
from ..plan.module import Failover, ModuleImpossible, check_roles
from ..programs.core import Program
from ..templates.render import render
from . import places
from .admin import NO
from .failover import failover_of
from .tables import backends, monitoring

_PACKAGES, _CONF = "/opt/keyservices/packages", "/etc/keyservices/proxysql.cnf"
_UNIT = f"/etc/systemd/system/{places.UNIT}"
_FOOTPRINT = Footprint(
    (
        Opening((Role.PROXYSQL,), places.CLIENT_PORTS, ANYBODY),
        # Each node looks after the others in its failover test.
        Opening((Role.GALERA,), (places.BACKEND_PORT,), (Role.PROXYSQL, Role.GALERA)),
    ),
    leftovers=(Leftover((Role.PROXYSQL,), (places.UNIT,), (_UNIT, _CONF, places.SETTINGS, places.ADMIN, places.HOME)),),
)
_ANSWERS_WITHIN_S, _MONITORED_WITHIN_S = 30, 30


@dataclass(frozen=True, slots=True)
class ProxysqlModule:
    """See the module's docstring."""

    package: Program | None = None
    number: int = 8
    name: str = "proxysql"
    title: str = "ProxySQL"
    roles: tuple[Role, ...] = (Role.PROXYSQL, Role.GALERA)
    credentials: Credentials | None = PROXYSQL
    footprint: Footprint = _FOOTPRINT

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """Credentials, prepared proxies, ProxySQL on each, its nodes and rules, its monitoring, and that it answers."""
        check_roles(self, inventory)
        if self.package is None:
            raise ModuleImpossible(f"module {self.number} ({self.title}) does not know its package")
        proxies, nodes = inventory.of(Role.PROXYSQL), inventory.of(Role.GALERA)
        if both := [one.name for one in proxies if one in nodes]:
            raise ModuleImpossible(f"{', '.join(both)}: a node and its proxy cannot have one address")
        prepared = each(proxies, _prepared(self.package))
        return Plan(
            self.name,
            (
                *beginning(self, inventory, secrets, prepared),
                Stage("deployed", each(proxies, _deployed(nodes, secrets))),
                Stage("backends", each(proxies, (_so("backends"),))),
                Stage("account of the monitor", {nodes[0].name: (_account(proxies, secrets),)}),
                Stage("monitoring", each(proxies, (_so("monitoring"),))),
                Stage("validated", {**each(proxies, _proof()), **each(nodes, _proof_node(proxies))}),
            ),
        )

    def failover(self, inventory: Inventory) -> Failover | None:
        """The node that is written to dies, while clients write through both proxies."""
        return failover_of(inventory)


def _prepared(package: Program) -> tuple[Action, ...]:
    there = f"{_PACKAGES}/{package.name}"
    version = "dpkg-query -W -f '${Version} ${db:Status-Status}' proxysql"
    installed = f'[ "$({version})" = "$(dpkg-deb -f {there} Version) installed" ]'
    unit = "proxysql.service"
    return (
        Packages(("python3", "python3-pymysql", "iproute2")),
        Directory("/etc/keyservices", 0o755),
        Directory("/usr/local/lib/keyservices"),
        Directory(_PACKAGES),
        Carried(there, package.file, package.sha256),
        Command(
            f"apt-get -qq install -y --no-install-recommends {there}", installed, about=f"{package.name} is installed"
        ),
        # The package's own unit would be a ProxySQL of its own, with passwords that everybody knows.
        Command(
            f"systemctl disable -q --now {unit}", f"! systemctl -q is-enabled {unit} && ! systemctl -q is-active {unit}"
        ),
        Directory(places.HOME, 0o700, "proxysql:proxysql"),
    )


def _deployed(nodes: Sequence[Server], secrets: Mapping[str, str]) -> tuple[Action, ...]:
    conf = render(
        "proxysql.cnf.j2",
        home=places.HOME,
        admin_port=places.ADMIN_PORT,
        admin_password=secrets["PROXYSQL_ADMIN_PASSWORD"],
        port=places.PORT,
    )
    settings = {
        "port": places.ADMIN_PORT,
        "password": secrets["PROXYSQL_ADMIN_PASSWORD"],
        "nodes": [one.address for one in nodes],
        "parts": {
            "backends": backends(nodes, secrets["MARIADB_APP_PASSWORD"]),
            "monitoring": monitoring(secrets["PROXYSQL_MONITOR_PASSWORD"]),
        },
    }
    program = files(__package__).joinpath("admin.py").read_text(encoding="utf-8")
    unit = render("proxysql.service.j2", program="/usr/bin/proxysql", conf=_CONF, home=places.HOME)
    return (
        File(places.ADMIN, program, 0o755),
        File(places.SETTINGS, json.dumps(settings, indent=1) + "\n", 0o600),
        File(_CONF, conf, 0o640, "root:proxysql"),
        File(_UNIT, unit),
        Unit(places.UNIT, (_CONF, _UNIT)),
        # Whatever it says, it answers.
        Check(f"{places.admin('has', 'backends')} || [ $? = {NO} ]", _ANSWERS_WITHIN_S),
    )


def _so(part: str) -> Command:
    return Command(places.admin("make", part), places.admin("has", part), about=f"ProxySQL has its {part}")


def _account(proxies: Sequence[Server], secrets: Mapping[str, str]) -> Command:
    """A user that may do nothing, from the proxies alone."""
    password, names = secrets["PROXYSQL_MONITOR_PASSWORD"], [f"'{places.MONITOR}'@'{one.address}'" for one in proxies]
    sql = "".join(f"create or replace user {name} identified by '{password}';\n" for name in names)
    known = f"select count(*) = {len(names)} from mysql.user where user = '{places.MONITOR}'"
    return Command(
        places.CALL, f'{places.CALL} -e "{known}" 2>/dev/null | grep -qx 1', sql, about="make the monitor's account"
    )


def _proof() -> tuple[Action, ...]:
    return (
        Check(places.admin("monitored"), _MONITORED_WITHIN_S),
        Check(places.admin("whole"), _MONITORED_WITHIN_S),
    )


def _proof_node(proxies: Sequence[Server]) -> tuple[Action, ...]:
    """By the application's own user, through each proxy."""
    return tuple(Check(f"{places.written_to(one)} | grep -q .", _ANSWERS_WITHIN_S) for one in proxies)
