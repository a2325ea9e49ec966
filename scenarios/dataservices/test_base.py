"""What every server has beneath its services: a firewall by role and SSH by key alone, as others see them.

What `keyservices` says of its rules is not asked: servers and clients connect, or cannot.
"""

import pytest

from fixtures.dataservices.doors import gets_in
from fixtures.marks import image, nightly, promise, software, topology
from harness.cluster import Cluster
from harness.engines.engine import NodeFile
from harness.expectations import nothing_lost
from harness.faults.process import Kill
from harness.faults.select import node
from harness.ledger import ClusterLedger
from harness.subjects.dataservices.redis import follows, master
from harness.subjects.dataservices.servers import BALANCERS, INSTALLER, SERVERS, Servers
from harness.subjects.dataservices.subject import BARE, COMMAND, REDIS_PORT
from harness.wait import until

BALANCER, *_ = BALANCERS
CLIENT, SENTINEL_PORT, SSH_PORT, STRAY_PORT = "user", 26379, 22, 8088
FAILOVER_WITHIN_S, TRIED_S = 10.0, 4
FIREWALL = "sh /usr/local/lib/keyservices/firewall.sh"
CLOSED = """\
table inet keyservices
delete table inet keyservices
table inet keyservices { chain input { type filter hook input priority filter; policy drop; }; }
"""
DOORS = {
    (INSTALLER, "s1", SSH_PORT): True,
    (INSTALLER, BALANCER, SSH_PORT): True,
    (CLIENT, INSTALLER, SSH_PORT): True,
    (CLIENT, BALANCER, REDIS_PORT): True,
    (BALANCER, "s1", REDIS_PORT): True,
    (BALANCER, "s1", SENTINEL_PORT): True,
    ("s2", "s1", REDIS_PORT): True,
    ("s2", "s1", SENTINEL_PORT): True,
    ("s2", "s1", SSH_PORT): False,
    ("s2", "s1", STRAY_PORT): False,
    (BALANCER, "s1", SSH_PORT): False,
    (CLIENT, "s1", SSH_PORT): False,
    (CLIENT, "s1", REDIS_PORT): False,
    (CLIENT, "s1", SENTINEL_PORT): False,
    (CLIENT, "s1", STRAY_PORT): False,
    (CLIENT, BALANCER, SSH_PORT): False,
    (INSTALLER, "s1", REDIS_PORT): False,
    ("s1", BALANCER, SSH_PORT): False,
}
"""Who gets to which port of whom. On STRAY_PORT a program listens that nobody has declared."""


@pytest.fixture
def servers(cluster: Cluster) -> Servers:
    """Three for Redis, two balancers."""
    roles = dict.fromkeys(SERVERS, "redis") | dict.fromkeys(BALANCERS, "haproxy")
    return Servers(cluster, roles)


@pytest.fixture
def ledger(cluster: Cluster) -> ClusterLedger:
    """Writes and reads through balancers: a client gets nowhere else."""
    return ClusterLedger(cluster, cluster.plan.address(BALANCER), COMMAND, REDIS_PORT, members=BALANCERS)


@topology("services")
@software(COMMAND)
@promise("S4-01", "S4-05", "S4-06", "S4-07", "S4-08", "S4-09", "S4-10", "S4-21", "S4-22", "S4-69", "S4-72")
async def test_servers_are_open_to_whom_their_role_is_for(
    cluster: Cluster, servers: Servers, ledger: ClusterLedger
) -> None:
    """Nothing is begun while one server is away; then base and Redis, seen from all sides, also after a power cut."""
    cluster.expect(nothing_lost())
    await servers.ready()
    await _nothing_is_begun_while_one_is_away(servers)
    assert "password" in await _asked_for(servers, "s1")
    assert await servers.install("--from", "2") > 0
    assert "base: complete: its checks hold" in await servers.log(2, "test")
    assert await servers.install("--from", "2") == 0
    await _installer_has_its_folders(servers)
    assert "password" not in await _asked_for(servers, "s1")
    await servers.run("s1", f"systemd-run -q --unit stray python3 -m http.server {STRAY_PORT}")
    await until(lambda: _listens(servers, STRAY_PORT), within_s=10, every_s=0.2, what="the stray program listens")
    assert {door: await gets_in(servers, cluster, *door) for door in DOORS} == DOORS
    await _locked_out_it_is_let_in_again(cluster, servers)
    lost = await master(servers)
    async with ledger.writing():
        async with cluster.under(Kill(node(lost))):
            await cluster.until(ledger.acknowledges_again(), within_s=FAILOVER_WITHIN_S)
        await follows(servers, lost)
    # Of a server that was without power: its rules are there before anything of it is reached.
    for source, port, open_ in ((INSTALLER, SSH_PORT, True), (CLIENT, REDIS_PORT, False), (CLIENT, SSH_PORT, False)):
        assert await gets_in(servers, cluster, source, lost, port) == open_
    assert await servers.install("--from", "2") == 0


@topology("services")
@software(BARE)
@nightly
@promise("S4-22")
@pytest.mark.parametrize(
    ("role", "module"),
    [("postgresql", 3), pytest.param("rabbitmq", 5, marks=image("services-rabbitmq")), ("galera", 7)],
    ids=["postgresql", "rabbitmq", "galera"],
)
async def test_services_fail_over_behind_the_firewall(cluster: Cluster, role: str, module: int) -> None:
    """Servers found their cluster, lose one of it and have it back, all by the ports that their module has declared."""
    servers = Servers(cluster, dict.fromkeys(SERVERS, role) | dict.fromkeys(BALANCERS, "haproxy"))
    await servers.ready()
    assert await servers.install("--from", "2") > 0
    assert f"{role}: complete: its failover was executed\n" in await servers.log(module, "test")
    assert "policy drop" in await servers.run("s1", "nft list table inet keyservices")
    assert await servers.install("--from", "2") == 0


async def _nothing_is_begun_while_one_is_away(servers: Servers) -> None:
    await servers.run("s3", "systemctl stop ssh.service")
    said = await servers.run(INSTALLER, f"{COMMAND} install", code=1, within_s=120)
    assert "keyservices: s3: " in said
    assert "keyservices: s1: " not in said
    assert await servers.run("s1", "ls -d /opt/keyservices /etc/keyservices 2>/dev/null", code=None) == ""
    await servers.run("s3", "systemctl start ssh.service")


async def _installer_has_its_folders(servers: Servers) -> None:
    home = "/opt/keyservices"
    modes = await servers.run(
        INSTALLER, f"cd {home} && stat -c '%n %a' scripts credentials logs tmp inventory && ls scripts"
    )
    assert modes.splitlines()[:5] == ["scripts 755", "credentials 700", "logs 700", "tmp 700", "inventory 755"]
    assert {"00_cleanup.sh", "00_install.sh", "02_base.sh", "04_redis.sh"} <= set(modes.splitlines()[5:])
    assert "all 6 servers are reached" in await servers.run(INSTALLER, f"{COMMAND} check --reach")
    assert "redis: redis" in await servers.run(INSTALLER, f"{home}/scripts/04_redis.sh --dry-run")
    for one in (*SERVERS, *BALANCERS):
        assert (await servers.run(one, f"stat -c %a {home}/credentials")).strip() == "700"


async def _asked_for(servers: Servers, target: str) -> str:
    """What sshd of a server would take, said to somebody who has nothing."""
    address = servers.cluster.plan.address(target)
    return await servers.run(INSTALLER, f"ssh -o PreferredAuthentications=none root@{address} true", code=255)


async def _listens(servers: Servers, port: int) -> bool:
    return await servers.run("s1", f"ss -Htln sport = :{port}", code=None) != ""


async def _locked_out_it_is_let_in_again(cluster: Cluster, servers: Servers) -> None:
    """Rules that nobody keeps, as when the installer does not come in any more, count no longer than they are tried."""
    locked, kept = BALANCERS[1], "/etc/keyservices/firewall.nft"
    await cluster.engine.write_file(locked, NodeFile("/run/closed.nft", CLOSED.encode()))
    await servers.run(locked, f"{FIREWALL} try /run/closed.nft {kept} {TRIED_S}")
    assert not await gets_in(servers, cluster, INSTALLER, locked, SSH_PORT)

    async def let_in() -> bool:
        return await gets_in(servers, cluster, INSTALLER, locked, SSH_PORT)

    await until(let_in, within_s=TRIED_S + 15, every_s=0.5, what="the installer gets in again")
    await servers.run(locked, f"{FIREWALL} in-force {kept}")
