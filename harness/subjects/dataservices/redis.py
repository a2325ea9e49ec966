"""How the servers of a Redis are, by Redis itself."""

from collections.abc import Sequence

from harness.subjects.dataservices.servers import SERVERS, Servers
from harness.subjects.dataservices.subject import SECRETS
from harness.wait import until

FOUND_WITHIN_S, REJOINED_WITHIN_S = 20.0, 60.0


async def _replication(servers: Servers, one: str) -> str:
    ask = f". {SECRETS}; REDISCLI_AUTH=$REDIS_PASSWORD redis-cli --no-auth-warning info replication"
    return await servers.run(one, ask, code=None)


async def master(servers: Servers, some: Sequence[str] = SERVERS, within_s: float = FOUND_WITHIN_S) -> str:
    """The one of these servers that is master and has replicas."""

    async def found() -> str | None:
        said = {one: await _replication(servers, one) for one in some if servers.cluster.is_up(one)}
        masters = [one for one, text in said.items() if "role:master" in text and "connected_slaves:0" not in text]
        return masters[0] if len(masters) == 1 else None

    return await until(found, within_s=within_s, every_s=0.2, what="one of them is master, with replicas")


async def follows(servers: Servers, one: str) -> None:
    """This server is a replica, and has what its master has."""

    async def in_step() -> bool:
        said = await _replication(servers, one)
        return "role:slave" in said and "master_link_status:up" in said and "master_sync_in_progress:0" in said

    await until(in_step, within_s=REJOINED_WITHIN_S, every_s=0.2, what=f"{one} follows")
