"""Module 10: an API and a front, which keep their notes in PostgreSQL.

They are small, and ours; they show that what the other modules install serves somebody. Where the inventory has a K3s
they run in it, on those of its nodes that have the role; else as units of the servers that have it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..credentials.core import APPS, Credentials
from ..inventory.core import Inventory, Role
from ..k3s.places import has_k3s
from ..plan.beginning import beginning, each
from ..plan.core import Action, Command, Directory, Packages, Plan, Stage
from ..plan.footprint import Footprint
from ..plan.module import Failover, ModuleImpossible, check_roles
from ..postgresql.places import AS_APP, DATABASE, USER, WRITER_PORT
from ..rehearsal.clients import programs as rehearsal
from . import in_k3s, on_servers
from .failover import failover_of
from .places import FOOTPRINT, SETTINGS, WEB_PORT, answers, api_host, front_host
from .services.api import CREATE, TABLE

_ANSWERS_WITHIN_S = 30


@dataclass(frozen=True, slots=True)
class AppsModule:
    """See the module's docstring."""

    number: int = 10
    name: str = "apps"
    title: str = "API and front"
    roles: tuple[Role, ...] = (Role.APPS, Role.HAPROXY, Role.POSTGRESQL)
    credentials: Credentials | None = APPS
    footprint: Footprint = FOOTPRINT

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """Credentials, prepared servers, the table, API and front, who is before them, and that all of it answers."""
        check_roles(self, inventory)
        servers, balancers = inventory.of(Role.APPS), inventory.of(Role.HAPROXY)
        if both := [one.name for one in servers if one in balancers]:
            raise ModuleImpossible(f"{', '.join(both)}: API and front and their balancer cannot have one address")
        masters = inventory.of(Role.K3S_MASTER)
        way = in_k3s if masters else on_servers
        first = (Packages(("iproute2", "procps", "python3")), Directory(SETTINGS)) if masters else on_servers.prepared()
        prepared = {**each(servers, (*first, *rehearsal("visits"))), **each(balancers, _prepared_balancer())}
        return Plan(
            self.name,
            (
                *beginning(self, inventory, secrets, prepared),
                Stage("table", {balancers[0].name: (_table(),)}),
                *way.stages(inventory, secrets),
                Stage("validated", each(balancers, _proof(inventory))),
            ),
            needs=(has_k3s(masters),) if masters else (),
        )

    def failover(self, inventory: Inventory) -> Failover | None:
        """One of the servers dies, while visitors of both balancers write notes and look at pages."""
        return failover_of(inventory)


def _prepared_balancer() -> tuple[Action, ...]:
    return (Packages(("haproxy", "postgresql-client-17", "python3")), *rehearsal("visits"))


def _table() -> Command:
    psql = f"{AS_APP}; psql -w -XAtq -v ON_ERROR_STOP=1 -h 127.0.0.1 -p {WRITER_PORT} -U {USER} -d {DATABASE}"
    there = f"{psql} -c \"select to_regclass('{TABLE}') is not null\" | grep -qx t"
    return Command(f"{psql} -f -", there, f"{CREATE};\n", about=f"table {TABLE}")


def _proof(inventory: Inventory) -> tuple[Action, ...]:
    """As visitors see it: by both host names, through each balancer."""
    here, api, front = f"127.0.0.1:{WEB_PORT}", api_host(inventory), front_host(inventory)
    return (
        answers(here, api, "/readyz", _ANSWERS_WITHIN_S),
        answers(here, api, "/notes/welcome", _ANSWERS_WITHIN_S),
        answers(here, front, "/readyz", _ANSWERS_WITHIN_S),
        answers(here, front, "/", _ANSWERS_WITHIN_S),
    )
