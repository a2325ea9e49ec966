"""How the servers of a Galera cluster are, by Galera itself, and what administrators do to them."""

from collections.abc import Sequence

from harness.subjects.dataservices.servers import BALANCERS, SERVERS, Servers
from harness.subjects.dataservices.subject import GALERA_SECRETS
from harness.wait import until

DATA = "/var/lib/galera"
IN_STEP_WITHIN_S = 120.0
_STANDING = (
    "select group_concat(variable_value order by variable_name separator ' ') from information_schema.global_status"
    " where variable_name in ('wsrep_cluster_size', 'wsrep_cluster_status', 'wsrep_local_state_comment', 'wsrep_ready')"
)


async def standing(servers: Servers, one: str) -> str:
    """How large its cluster is, of which kind, how the server stands in it, and whether it takes statements."""
    return (await servers.run(one, f'mariadb --connect-timeout=3 -NB -e "{_STANDING}"', code=None)).strip()


async def writer(servers: Servers) -> str:
    """The server that clients of the first balancer write to."""
    balancer = servers.cluster.plan.address(BALANCERS[0])
    # Whom a balancer sends to a server that is silent, it lets wait.
    ask = f"timeout 3 mariadb -h {balancer} -u app -NB -e 'select @@wsrep_node_name'"
    said = await servers.run(SERVERS[1], f". {GALERA_SECRETS}; MYSQL_PWD=$MARIADB_APP_PASSWORD {ask}")
    return said.strip()


async def in_step(servers: Servers, some: Sequence[str] = SERVERS) -> None:
    """These servers are a cluster, and each has what the others have."""

    async def so() -> bool:
        said = [await standing(servers, one) for one in some]
        return said == [f"{len(some)} Primary Synced ON"] * len(some)

    what = f"{', '.join(some)} are in step"
    await until(so, within_s=IN_STEP_WITHIN_S, every_s=0.5, what=what)


async def forced_to_begin(servers: Servers, one: str) -> None:
    """What an administrator in a hurry does: this server is said to be safe, and begins; the others are emptied."""
    others = [other for other in SERVERS if other != one]
    for each in SERVERS:
        await servers.run(each, "systemctl kill --signal=KILL --kill-whom=all mariadb; systemctl stop mariadb")
    await servers.run(one, f"sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' {DATA}/grastate.dat")
    await servers.run(one, "galera_new_cluster")
    for other in others:
        await servers.run(other, f"find {DATA} -mindepth 1 -delete; systemctl start mariadb", within_s=IN_STEP_WITHIN_S)
    await in_step(servers)
