"""Servers are cleaned, and installed on once more: from nothing, though their packages are still there."""

import pytest

from fixtures.dataservices.doors import gets_in
from fixtures.marks import promise, software, topology
from harness.cluster import Cluster
from harness.subjects.dataservices.redis import master
from harness.subjects.dataservices.servers import BALANCERS, INSTALL_WITHIN_S, INSTALLER, SERVERS, Servers
from harness.subjects.dataservices.subject import BARE, COMMAND, SECRETS

CLIENT, SSH_PORT = "user", 22
UNITS = "redis-server redis-sentinel haproxy sentinel-watcher keyservices-firewall keyservices-kernel"
CONFIGS = (
    "/etc/haproxy /etc/keyservices /usr/local/lib/keyservices /var/lib/keyservices /etc/systemd/system/*keyservices* "
    "/etc/ssh/sshd_config.d/00-keyservices.conf /etc/systemd/system/*.d/keyservices.conf"
)
OF_REDIS = "/etc/redis /var/lib/redis"
"""On its servers: a balancer has them from the package of redis-cli."""
_CLI = f". {SECRETS}; REDISCLI_AUTH=$REDIS_PASSWORD redis-cli --no-auth-warning"


@pytest.fixture
def servers(cluster: Cluster) -> Servers:
    """Three for Redis, two balancers."""
    roles = dict.fromkeys(SERVERS, "redis") | dict.fromkeys(BALANCERS, "haproxy")
    return Servers(cluster, roles)


@topology("services")
@software(BARE)
@promise("S4-02", "S4-11", "S4-16", "S4-17", "S4-18", "S4-19", "S4-20")
async def test_servers_are_cleaned_and_installed_again(cluster: Cluster, servers: Servers) -> None:
    """Not without the installer's name; killed half way and called again; and nobody who is protected."""
    await servers.ready()
    await servers.install("--from", "2", "--skip-validation")
    await servers.run("b1", f"{_CLI} set kept nothing")
    secrets = await _secrets(servers)
    await servers.run(INSTALLER, "mkdir -p /opt/keyservices/tmp && touch /opt/keyservices/tmp/left")
    assert "protected: install" in await servers.run(INSTALLER, f"{COMMAND} cleanup install --yes", code=2)
    said = await servers.run(INSTALLER, f"echo redis-01 | {COMMAND} cleanup --all", code=2)
    assert "not confirmed: nothing was done" in said
    assert await master(servers)
    # Killed in the middle; what it had begun on servers may still go on.
    await servers.run(INSTALLER, f"timeout -s KILL 1.5 {COMMAND} cleanup --all --yes", code=None)
    said = await servers.run(INSTALLER, f"echo {INSTALLER} | {COMMAND} cleanup --all", within_s=INSTALL_WITHIN_S)
    assert "cleanup: " in said
    await _as_if_nothing_had_been_there(cluster, servers)
    assert await _secrets(servers) == secrets
    assert await servers.run(INSTALLER, "cd /opt/keyservices && ls tmp logs") == "logs:\ncleanup.log\n\ntmp:\n"
    again = await servers.run(INSTALLER, f"{COMMAND} cleanup --all --yes", within_s=INSTALL_WITHIN_S)
    assert "cleanup: 0 changed" in again
    assert await servers.install("--from", "2", "--skip-validation") > 0
    assert await _secrets(servers) == secrets
    assert (await servers.run("b1", f"{_CLI} get kept")).strip() == ""
    assert await servers.install("--from", "2", "--skip-validation") == 0


async def _secrets(servers: Servers) -> dict[str, str]:
    """What everybody has of them (as digests: what is run is noted), with their modes."""
    look = f"stat -c '%a %U %n' {SECRETS} $(dirname {SECRETS}); sha256sum {SECRETS}"
    return {one: await servers.run(one, look) for one in (INSTALLER, *SERVERS, *BALANCERS)}


async def _as_if_nothing_had_been_there(cluster: Cluster, servers: Servers) -> None:
    for one in (*SERVERS, *BALANCERS):
        assert await servers.run(one, f"systemctl is-active {UNITS} | sort -u", code=None) == "inactive\n"
        assert "enabled" not in await servers.run(one, f"systemctl is-enabled {UNITS} 2>/dev/null", code=None)
        paths = f"{CONFIGS} {OF_REDIS}" if one in SERVERS else CONFIGS
        assert await servers.run(one, f"ls -d {paths} 2>/dev/null", code=None) == ""
        assert await servers.run(one, "pgrep -a 'redis|haproxy'", code=None) == ""
        assert await servers.run(one, "nft list ruleset") == ""
        assert await gets_in(servers, cluster, CLIENT, one, SSH_PORT)
    # The installer is protected: what closes it stays.
    assert "policy drop" in await servers.run(INSTALLER, "nft list table inet keyservices")
