"""How the servers of a PostgreSQL are, by PostgreSQL itself, and what administrators do to them."""

from collections.abc import Sequence

from harness.subjects.dataservices.servers import SERVERS, Servers
from harness.wait import until

FOUND_WITHIN_S, FOLLOWS_WITHIN_S = 60.0, 120.0
_STANDING = (
    "select case when pg_is_in_recovery() then 'follows' else 'leads ' || count(*) end"
    " from pg_stat_replication where state = 'streaming'"
)


async def _asked(servers: Servers, one: str, sql: str) -> str:
    said = await servers.run(one, f'cd / && runuser -u postgres -- psql -XAtq -d postgres -c "{sql}"', code=None)
    return said.strip()


async def leader(servers: Servers) -> str:
    """The one server that leads, and that somebody follows."""

    up = [one for one in SERVERS if servers.cluster.is_up(one)]
    return await led_by_one_of(servers, up)


async def led_by_one_of(servers: Servers, some: Sequence[str], within_s: float = FOUND_WITHIN_S) -> str:
    """The one of these servers that leads, and that somebody follows."""

    async def found() -> str | None:
        said = {one: await _asked(servers, one, _STANDING) for one in some}
        leading = [one for one, text in said.items() if text.startswith("leads") and text != "leads 0"]
        return leading[0] if len(leading) == 1 else None

    return await until(found, within_s=within_s, every_s=0.2, what="one of them leads, and is followed")


async def asynchronous_follower(servers: Servers) -> str:
    """The one that follows, and that the leader waits for last: without it, everything is acknowledged as before."""
    leading = await leader(servers)

    async def found() -> str | None:
        said = await _asked(
            servers, leading, "select application_name from pg_stat_replication where sync_state = 'async'"
        )
        return said if said in SERVERS else None

    return await until(found, within_s=FOUND_WITHIN_S, every_s=0.2, what="one follows without being waited for")


async def asynchronous(servers: Servers, leading: str) -> None:
    """The leader waits for nobody from now on."""
    settings = "-s synchronous_mode=false -s synchronous_mode_strict=false"
    await servers.run(leading, f"patronictl -c /etc/patroni/config.yml edit-config --force {settings}")

    async def alone() -> bool:
        return await _asked(servers, leading, "show synchronous_standby_names") == ""

    await until(alone, within_s=FOUND_WITHIN_S, every_s=0.2, what="the leader waits for nobody")


async def waits_cancelled(servers: Servers, leading: str) -> None:
    """What an administrator does to commits that hang since no replica answers: for some seconds, each is cancelled."""
    ask = "select count(pg_cancel_backend(pid)) from pg_stat_activity where wait_event = 'SyncRep'"
    once = f'cd / && runuser -u postgres -- psql -XAtq -d postgres -c "{ask}"'
    said = await servers.run(leading, f"for _ in $(seq 15); do {once}; sleep 0.1; done", code=None)
    assert any(line.strip() not in ("", "0") for line in said.splitlines()), "no commit waited"


async def all_follow(servers: Servers) -> None:
    """Every server but one follows, and has what the leader has."""

    async def so() -> bool:
        said = [await _asked(servers, one, _STANDING) for one in SERVERS]
        return sorted(said) == ["follows", "follows", "leads 2"]

    await until(so, within_s=FOLLOWS_WITHIN_S, every_s=0.5, what="all others follow one leader")
