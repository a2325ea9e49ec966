"""Nodes behind a NAT: the endpoint that was learnt is the one that works, whatever the node says of itself."""

from fixtures.expected import undisturbed
from fixtures.marks import headline, hosts_kernel, promise, software, topology
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.wait import until

PRIVATE = "172.16.0"
BEHIND, ROUTER = ("n2", "n3"), "n4"
MASQUERADE = f"""
table ip nat {{
  chain out {{
    type nat hook postrouting priority 100
    ip saddr {PRIVATE}.0/24 ip daddr != {PRIVATE}.0/24 masquerade random
  }}
}}
"""


async def _puts_behind_nat(operator: Operator) -> None:
    """n2 and n3 have private addresses only, and reach the world by way of n4, which gives them ports at random."""
    await operator.succeeds(ROUTER, f"ip address add {PRIVATE}.4/24 dev eth0; echo 1 > /proc/sys/net/ipv4/ip_forward")
    await operator.succeeds(ROUTER, f"echo '{MASQUERADE}' | nft -f -")
    for name in BEHIND:
        own = f"{PRIVATE}.{name[1:]}"
        await operator.succeeds(
            name,
            f"ip -4 address flush dev eth0; ip address add {own}/24 dev eth0; ip route add default via {PRIVATE}.4",
        )


async def _key(operator: Operator, name: str) -> str:
    return (await operator.succeeds(name, "wg show wg-sfha public-key")).strip()


async def _peer(operator: Operator, name: str, key: str, what: str) -> str:
    rows = [line.split() for line in (await operator.succeeds(name, f"wg show wg-sfha {what}")).splitlines()]
    return next((row[1] for row in rows if row[0] == key), "")


@headline
@hosts_kernel("who translates addresses needs nftables of the family ip, which the kernel of such a node has not")
@software("sfha-unconfigured", "etcd")
@topology("five-nodes")
@promise("D-20")
async def test_two_nodes_behind_one_nat(cluster: Cluster, vip: str, operator: Operator) -> None:
    """They join at the first try; one's daemon stops, keys are made anew: it is reached as before."""
    await _puts_behind_nat(operator)
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    for name in ("n2", "n3", "n4", "n5"):
        await operator.joins(name, seeder="n1")
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody, within_s=30)
    await operator.logged("n1", "newcomer-votes", name="n5")
    keys = {name: await _key(operator, name) for name in ("n1", "n3", "n5")}
    learnt = await _peer(operator, "n1", keys["n3"], "endpoints")
    assert learnt.startswith(f"{cluster.plan.address(ROUTER)}:"), learnt
    assert not learnt.endswith(":51820"), learnt

    since_s = (await operator.times("n1", "membership-changed"))[-1]
    await operator.daemon_dies("n3")
    await cluster.stay(for_s=3, why="the keys have to be newer than the last word of the daemon, and be seen to be")
    before = {name: int(await _peer(operator, name, keys["n3"], "latest-handshakes")) for name in ("n1", "n5")}
    nudges = len(await operator.times("n1", "handshake-started-anew", peers=[3]))
    for name in ("n1", "n5"):
        address = (await operator.mesh_addresses(name))[0]
        where = f"endpoint {cluster.plan.address(name)}:51820"
        again = f"peer {keys[name]} remove peer {keys[name]} {where} allowed-ips {address}/32"
        await operator.succeeds("n3", f"wg set wg-sfha {again}")

    async def keys_are_newer() -> bool:
        now = [int(await _peer(operator, name, keys["n3"], "latest-handshakes")) for name in before]
        return all(new > old for new, old in zip(now, before.values(), strict=True))

    await until(keys_are_newer, within_s=15, every_s=0.2, what="n3 has new keys with those outside")
    await cluster.stay(for_s=6, why="time for whoever takes a silent daemon for a lost tunnel")
    assert len(await operator.times("n1", "handshake-started-anew", peers=[3])) == nudges
    assert (await _peer(operator, "n1", keys["n3"], "endpoints")).startswith(f"{cluster.plan.address(ROUTER)}:")
    await operator.stayed_together(("n1", "n5"), since_s)
    await cluster.until(quorate(everybody, everybody), within_s=1)
    await operator.daemon_starts("n3")
    await operator.all_list(everybody, everybody, within_s=30)
