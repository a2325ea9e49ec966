"""A tunnel in somebody's way, and one that somebody broke: refused with a reason, or repaired, and told as it is."""

import json

from fixtures.expected import OUTAGE_LIMIT_S, undisturbed
from fixtures.marks import promise, software
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.wait import until

LEFT = (
    "find /etc/sfha /var/lib/sfha /etc/wireguard -type f 2>/dev/null; md5sum /etc/corosync/*; "
    "ls /proc/sys/net/ipv4/conf; pgrep -x corosync; pgrep -x wireguard-go; pgrep -f '[s]fha run'"
)
SQUATTER = "nc -u -l -p 51820 > /dev/null 2>&1 < /dev/null & echo $! > /root/squatter; sleep 0.3"


async def _serves(operator: Operator, node: str) -> None:
    async def there() -> bool:
        said = await operator.shell(node, "ip -o -4 address show dev wg-sfha up")
        return "10.90.0." in said

    await until(there, within_s=10, every_s=0.2, what=f"the tunnel of {node} is up, with its address")


@software("sfha-unconfigured", "etcd")
@promise("D-37")
async def test_a_port_that_is_taken_and_tunnels_that_are_broken(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Nothing stays of an init or join whose port is taken; a tunnel that is down, bare or gone comes back."""
    await operator.succeeds("n1", SQUATTER)
    before = await operator.shell("n1", LEFT)
    said = await operator.does("n1", "init", "--name", "harness", exit_code=1)
    assert "51820" in said, said
    assert "nc" in said, said
    assert await operator.shell("n1", LEFT) == before
    assert "n1" not in await operator.running("wireguard-go")
    doctor = json.loads(await operator.does("n1", "doctor", "--json", exit_code=1))
    assert any(one["about"] == "ports" and "nc" in one["text"] for one in doctor["findings"]), doctor
    await operator.succeeds("n1", "kill $(cat /root/squatter)")
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip, outage_s=OUTAGE_LIMIT_S))  # to the others, a node without a tunnel is a lost one
    token = await operator.token("n1")
    await operator.succeeds("n2", SQUATTER)
    before = await operator.shell("n2", LEFT)
    assert "nc" in await operator.does("n2", "join", token, exit_code=1)
    assert await operator.shell("n2", LEFT) == before
    await operator.succeeds("n2", "kill $(cat /root/squatter)")
    await operator.does("n2", "join", token)
    await operator.joins("n3", seeder="n1")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    for breakage in ("ip link set wg-sfha down", "ip address flush dev wg-sfha", "ip link delete wg-sfha"):
        await operator.succeeds("n2", breakage)
        await operator.logged("n2", "tunnel-repaired")
        await _serves(operator, "n2")
        await cluster.until(quorate(everybody, everybody), within_s=30)
        await operator.all_list(everybody, everybody, within_s=30)
    await _by_hand(operator)
    await operator.all_list(everybody, everybody, within_s=30)
    await cluster.until(quorate(everybody, everybody), within_s=10)


async def _by_hand(operator: Operator) -> None:
    """Without a daemon: status and doctor tell the truth, `mesh up` repairs, and a start does as well."""
    for breakage, word in (("ip link set wg-sfha down", "down"), ("ip address flush dev wg-sfha", "without")):
        await operator.daemon_dies("n2")
        await operator.succeeds("n2", breakage)
        assert word in await operator.does("n2", "mesh", "status")
        assert "doctor" not in await operator.does("n2", "doctor", exit_code=1)
        assert "repaired" in await operator.does("n2", "mesh", "up")
        await _serves(operator, "n2")
        await operator.succeeds("n2", breakage)
        await operator.daemon_starts("n2")
        await _serves(operator, "n2")


@software("sfha-unconfigured", "etcd")
@promise("D-37", "D-38")
async def test_a_start_that_fails_leaves_nothing(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Corosync cannot start: its own words are told at once, all is taken back, and the next init works."""
    before = await operator.shell("n1", LEFT)
    await operator.succeeds("n1", "mv /usr/sbin/corosync /usr/sbin/corosync-good")
    script = "#!/bin/sh\\necho 'Nov 29 16:00:00 error   [MAIN  ] no more room'\\nexit 8\\n"
    await operator.succeeds("n1", f'printf "{script}" > /usr/sbin/corosync; chmod 755 /usr/sbin/corosync')
    said = await operator.does("n1", "init", "--name", "harness", exit_code=1)
    assert "no more room" in said, said
    assert await operator.shell("n1", LEFT) == before
    assert not [name for name in ("sfha", "wireguard-go") if "n1" in await operator.running(name)]
    await operator.succeeds("n1", "mv /usr/sbin/corosync-good /usr/sbin/corosync")
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip, outage_s=None))
    await operator.does("n1", "doctor")
    await operator.succeeds("n1", "cp /etc/sfha/config.yml /root; echo 'nonsense: 1' > /etc/sfha/config.yml")
    assert "cluster.name" in await operator.does("n1", "restart", exit_code=1)
    assert "cluster.name" in await operator.does("n1", "logs", "-n", "3")
    assert "cluster.name" in await operator.does("n1", "doctor", exit_code=1)
    await operator.succeeds("n1", "cp /root/config.yml /etc/sfha/config.yml")
    await operator.daemon_starts("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    await operator.joins("n2", seeder="n1")
    await operator.logged("n1", "newcomer-votes", name="n2")
    await operator.does("n2", "leave")
    assert "mesh.json" not in await operator.shell("n2", "ls /etc/sfha")
    await operator.joins("n2", seeder="n1")  # at once
    await operator.all_list(("n1", "n2"), ("n1", "n2"))
    await operator.daemon_dies("n2")
    assert "no daemon" in await operator.does("n2", "leave", exit_code=1)
    await operator.does("n2", "leave", "--force", exit_code=3)
    assert await operator.shell("n2", "ls /etc/sfha /etc/corosync") != ""
    assert "wg-sfha" not in await operator.shell("n2", "ls /proc/sys/net/ipv4/conf")
    await operator.does("n1", "node", "remove", "n2", "--force")
    for name in ("n2", "n3"):
        await operator.joins(name, seeder="n1")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    await cluster.until(quorate(everybody, everybody), within_s=10)
