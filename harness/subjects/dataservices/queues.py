"""How the servers of a RabbitMQ are: who leads a queue, and who is a member of it."""

import re

from harness.subjects.dataservices.servers import SERVERS, Servers
from harness.wait import until

FOUND_WITHIN_S, WHOLE_WITHIN_S = 30.0, 90.0


async def _listed(servers: Servers, queue: str, columns: str) -> list[str]:
    """What the first server that answers says of a queue."""
    ask = f"rabbitmqctl -q list_queues -p app --no-table-headers name {columns}"
    for one in SERVERS:
        if servers.cluster.is_up(one):
            said = await servers.run(one, ask, code=None)
            for line in said.splitlines():
                name, *values = line.split("\t")
                if name == queue:
                    return values
    return []


async def leader(servers: Servers, queue: str, *, but: str = "", within_s: float = FOUND_WITHIN_S) -> str:
    """The server that leads a queue, or has it alone, once it is another than this one."""
    nodes = {f"rabbit@{servers.cluster.plan.address(one)}": one for one in SERVERS}

    async def found() -> str | None:
        told = " ".join(
            await _listed(servers, queue, "leader pid")
        )  # one of one kind has a leader, one of the other a process
        name = next((nodes[one] for one in re.findall(r"rabbit@\d+\.\d+\.\d+\.\d+", told) if one in nodes), None)
        return name if name != but else None

    return await until(found, within_s=within_s, every_s=0.5, what="a server leads the queue")


async def all_are_members(servers: Servers, queue: str) -> None:
    """It is a quorum queue, and each server is one of its members that are there."""

    async def so() -> bool:
        told = await _listed(servers, queue, "type online")
        return len(told) == 2 and told[0] == "quorum" and told[1].count("rabbit@") == len(SERVERS)

    await until(so, within_s=WHOLE_WITHIN_S, every_s=0.5, what="all servers are members of the queue")
