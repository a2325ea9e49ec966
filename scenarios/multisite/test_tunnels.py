"""The edge is the hub of tunnels, every machine of every site a spoke; what is declared are addresses in there."""

import json

from fixtures.marks import headline, promise, software, topology
from fixtures.multisite.network import DIJON_FIRST, Network
from fixtures.multisite.platform import LONG_ENOUGH, WITHIN_S, lost_and_back
from harness.cluster import Cluster
from harness.expectations import posts_executed_once, requests_failed_at_most_in_flight
from harness.faults.network import BlockPort
from harness.faults.process import Kill
from harness.faults.select import node, nodes_at
from harness.subjects.multisite.subject import EDGE, WEB
from harness.subjects.multisite.tunnels import KEYS, TUNNEL_PORT, TUNNELS
from harness.traffic import Traffic
from harness.wait import until

AGAIN_WITHIN_S = 2.0
NEW_HOST = 77
NOTICED_S = 3.0


@topology("containers")
@software(TUNNELS, WEB)
@promise("S3-07", "S3-08", "S3-09", "S3-11", "S3-27")
async def test_the_edge_is_hub_and_router_of_all_sites(cluster: Cluster, network: Network, visits: Traffic) -> None:
    """A subnet a site; from site to site by the hub and nobody else; private keys are on their own machines alone."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    await network.connected()
    subnets = {name: address.rpartition(".")[0] for name, address in network.addresses.items()}
    assert subnets["d1"] == subnets["d2"]
    assert len(set(subnets.values())) == 3
    assert all(one.startswith("10.200.") for one in subnets.values())
    async with visits.running():
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
    for other in ("t1", "d1"):
        await network.does("l1", "ping", "-c", "1", "-W", "2", network.addresses[other])
    # From site to site there is no other way.
    passes_on = "/proc/sys/net/ipv4/conf/multisite0/forwarding"
    await network.shell(EDGE, f"echo 0 > {passes_on}")
    await network.does("l1", "ping", "-c", "1", "-W", "1", network.addresses["t1"], exit_code=1)
    await network.shell(EDGE, f"echo 1 > {passes_on}")
    await network.does("l1", "ping", "-c", "1", "-W", "2", network.addresses["t1"])
    private = json.loads(await network.shell("d1", f"cat {KEYS}"))["now"]["private"]
    assert await network.shell("d1", f"stat -c %a {KEYS}") == "600\n"
    places = "/var/lib/multisite /var/log /etc/multisite /run/multisite"
    found = await network.shell(EDGE, f"grep -rlaF -e {private} {places} || true")
    assert found == ""
    assert await network.shell("d1", f"grep -rlaF -e {private} /var/log /run /etc/multisite || true") == ""


@headline
@topology("containers")
@software(TUNNELS, WEB)
@promise("S3-02", "S3-30", "S3-53")
async def test_the_vpn_of_the_preferred_site_is_down(cluster: Cluster, network: Network, visits: Traffic) -> None:
    """Nothing comes out of its tunnels any more; the other sites take its visitors until it is back."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    await network.connected(DIJON_FIRST)
    await lost_and_back(cluster, network, visits, BlockPort(nodes_at("dijon"), TUNNEL_PORT), "d1", "d2")


@topology("containers")
@software(TUNNELS, WEB)
@promise("S3-08", "S3-29")
async def test_a_site_gets_another_address(cluster: Cluster, network: Network) -> None:
    """Its agent sees it, shakes hands from there, and says so: two seconds later all is as before."""
    await network.connected()
    old = cluster.plan.address("l1")
    new = f"{old.rpartition('.')[0]}.{NEW_HOST}"
    async with network.asked("l1") as answers:
        await cluster.stay(for_s=1.0, why="it answers by its old address")
        await network.shell("l1", f"ip address del {old}/24 dev eth0; ip address add {new}/24 dev eth0")
        await cluster.stay(for_s=AGAIN_WITHIN_S + 2, why="it answers by its new address")
    assert answers.at_s[-1] - answers.at_s[0] > AGAIN_WITHIN_S + 2, "it answers again"
    cluster.note(f"no answer for {answers.longest_gap_s:.2f} s")
    assert answers.longest_gap_s < AGAIN_WITHIN_S

    async def known() -> bool:
        return str((await network.tunnels())["l1"]["endpoint"]) == f"{new}:{TUNNEL_PORT}"

    await until(known, within_s=10, every_s=0.2, what="the hub knows the new address")


@topology("containers")
@software(TUNNELS, WEB)
@promise("S3-08")
async def test_keys_are_changed_under_load(cluster: Cluster, network: Network, visits: Traffic) -> None:
    """Those of a machine, and the hub's, by the command line; visitors do not notice."""
    cluster.expect(requests_failed_at_most_in_flight(), posts_executed_once())
    await network.connected()
    async with visits.running():
        before = str((await network.tunnels())["d1"]["public_key"])
        await network.rotates("d1")
        await network.rotated("d1", before)
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
        await network.rotates("hub")

        async def changed() -> bool:
            return "hub-key" in await network.logged()

        await until(changed, within_s=30, every_s=0.2, what="the hub has another key")
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
        await network.finds_up(network.nodes)


@topology("containers")
@software(TUNNELS, WEB)
@promise("S3-03", "S3-08")
async def test_the_hub_loses_its_power(cluster: Cluster, network: Network, visits: Traffic) -> None:
    """It comes back with its key and everybody else's, and is visited through its tunnels again."""
    await network.connected()
    async with cluster.under(Kill(node(EDGE))):
        await cluster.stay(for_s=NOTICED_S, why="every machine notices")
    await network.finds_up(network.nodes)
    cluster.expect(posts_executed_once())
    async with visits.running():
        await cluster.until(visits.acknowledges_again(LONG_ENOUGH), within_s=WITHIN_S)
