"""Which addresses and which secrets a token promises: inside the subnet, never twice, and this cluster's own."""

import base64
import os
from ipaddress import IPv4Network

from fixtures.expected import undisturbed
from fixtures.marks import promise, software
from fixtures.sfha.operator import Operator
from fixtures.sfha.tokens import forged, read_token
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate

SMALL = IPv4Network("10.91.0.248/29")


@software("sfha-unconfigured", "etcd")
@promise("D-13")
async def test_a_small_mesh_is_never_left(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Six addresses: two nodes join, three tokens promise the rest to nobody twice, and the next one is refused."""
    await operator.founds("n1", "--mesh", str(SMALL))
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    for outside in ("10.91.0.247", "10.91.0.248", "10.91.0.255", "10.91.1.1"):
        assert str(SMALL) in await operator.does("n1", "token", "--ip", outside, exit_code=1)
    assert "10.91.0.249" in await operator.does("n1", "token", "--ip", "10.91.0.249", exit_code=1)
    for name in ("n2", "n3"):
        await operator.joins(name, seeder="n1")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    promised = [read_token(await operator.token(name))["assigned_ip"] for name in ("n1", "n2", "n3")]
    taken = [address for name in everybody for address in await operator.mesh_addresses(name)]
    assert len({*promised, *taken}) == 6
    assert {*promised, *taken} == {str(one) for one in SMALL.hosts()}
    for name in everybody:
        assert str(SMALL) in await operator.does(name, "token", exit_code=1)
    await cluster.until(quorate(everybody, everybody), within_s=10)


@software("sfha-unconfigured", "etcd")
@promise("S1-24")
async def test_a_token_of_another_cluster(cluster: Cluster, vip: str, operator: Operator) -> None:
    """Whole and in time, but signed with keys that this cluster never gave out: nobody answers it."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    good = await operator.token("n1")
    secret = base64.b64encode(os.urandom(32)).decode()
    foreign = forged(good, auth_key=secret)
    said = await operator.does("n2", "join", foreign, exit_code=1)
    assert "does not answer" in said, said
    assert (await operator.shell("n2", "ip link show wg-sfha 2>&1 | grep -c POINTOPOINT")).split() == ["0"]
    assert "ring0_addr: 10.90.0.2" not in await operator.corosync_conf("n1")
    await operator.does("n2", "join", good)
    await operator.joins("n3", seeder="n2")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    await cluster.until(quorate(everybody, everybody), within_s=10)
