"""An inventory as small as it can be: three of everything that decides by majority, and two balancers."""

from dataclasses import replace

from harness.stack.dataservices.inventory.core import Inventory, Role, read
from harness.stack.dataservices.modules import MODULES
from harness.stack.dataservices.objects.module import ObjectsModule, Store
from harness.stack.dataservices.plan.module import Module
from harness.stack.dataservices.programs.core import MINIO, SEAWEEDFS, WEED, Program
from harness.stack.dataservices.proxysql.module import ProxysqlModule

SMALL = """name\trole\taddress\tsite
# who installs the others
install-01\tinstaller\t10.0.0.1\tparis
redis-01\tredis\t10.0.0.11\tparis
redis-02\tredis\t10.0.0.12\tlyon
redis-03\tredis\t10.0.0.13\tlille
lb-01\thaproxy\t10.0.0.21\tparis
lb-02\thaproxy\t10.0.0.22\tlyon
"""


def small() -> Inventory:
    """It."""
    return read(SMALL)


POSTGRESQL = SMALL.replace("redis", "postgresql").replace("postgresql-0", "pg-0")
"""The same for PostgreSQL."""
RABBITMQ = SMALL.replace("redis", "rabbitmq").replace("rabbitmq-0", "mq-0")
"""And for RabbitMQ."""
GALERA = SMALL.replace("redis-0", "db-0").replace("redis", "galera")
"""And for Galera."""
OBJECTS = SMALL.replace("redis-0", "store-0").replace("redis", "objects")
"""And for an object store, before which nobody has to be."""
PROXYSQL = GALERA + "proxy-01\tproxysql\t10.0.0.31\tparis\nproxy-02\tproxysql\t10.0.0.32\tlyon\n"
"""Galera with two ProxySQL."""
K3S = """name\trole\taddress\tsite
install-01\tinstaller\t10.0.0.1\tparis
pg-01\tpostgresql,redis\t10.0.0.11\tparis
pg-02\tpostgresql,redis\t10.0.0.12\tlyon
pg-03\tpostgresql,redis\t10.0.0.13\tlille
lb-01\thaproxy\t10.0.0.21\tparis
lb-02\thaproxy\t10.0.0.22\tlyon
m-01\tk3s-master\t10.0.0.31\tparis
m-02\tk3s-master\t10.0.0.32\tlyon
m-03\tk3s-master,n8n\t10.0.0.33\tlille
w-01\tk3s-worker,apps,n8n\t10.0.0.41\tparis
w-02\tk3s-worker,apps\t10.0.0.42\tlyon
"""
"""A K3s of three masters and two workers that applications run on, and what these stand on."""
APPS = (
    SMALL.replace("redis-03\tredis", "redis-03\tredis,apps")
    .replace("redis-01\tredis", "redis-01\tredis,apps")
    .replace("redis", "postgresql")
    .replace("postgresql-0", "s-0")
)
"""API and front on two of the three servers of PostgreSQL."""


def with_programs() -> tuple[Module, ...]:
    """All modules, each as if the programs that no distribution has were there; one for objects with either store."""
    weed, minio, mc, proxysql = (Program(f"/opt/{name}", "0" * 64) for name in (WEED.name, "minio", "mc", "p.deb"))
    found: list[Module] = []
    for module in MODULES:
        if isinstance(module, ObjectsModule):
            found += [
                replace(module, store=Store(SEAWEEDFS, (weed,))),
                replace(module, store=Store(MINIO, (minio, mc))),
            ]
        else:
            found.append(replace(module, package=proxysql) if isinstance(module, ProxysqlModule) else module)
    return tuple(found)


def of_every_role() -> Inventory:
    """Three servers of every role, but for the installer and two balancers: what any module could ask for."""
    rows = ["name\trole\taddress\tsite", "install-01\tinstaller\t10.0.0.1\tparis"]
    for number, role in enumerate(Role):
        if role not in (Role.INSTALLER, Role.APPS, Role.N8N):
            count = 2 if role is Role.HAPROXY else 3
            # With K3s, applications run on its nodes.
            roles = f"{role.value},apps,n8n" if role is Role.K3S_WORKER else role.value
            rows += [f"{role.value}-{one}\t{roles}\t10.0.{number}.{one}\tparis" for one in range(1, count + 1)]
    return read("\n".join(rows))
