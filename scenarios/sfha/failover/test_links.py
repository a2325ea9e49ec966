"""What carries an address goes away on its holder, whose node lives on: the others have it within a second.

The address is on an interface of its own on every node (lan0, plugged into a bridge as the cable is), so that the nodes
go on hearing each other. lan0 has the MAC that the cable had, which is how the wire's observer knows a node. What the
address has to say leaves by lan0 or not at all: without lan0 a node would answer by its bridge, past the gate, and
with another MAC. lan0 has an address of its own, which nobody asks for: with the last address of an interface Linux
takes its routes away as well.
"""

import json
from functools import partial

from fixtures.expected import highly_available
from fixtures.marks import headline, hosts_kernel, per_engine, promise
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.faults.process import Kill
from harness.faults.select import node as the_node
from harness.ledger import ClusterLedger
from scenarios.sfha.resources.asking import addresses, comes_true, moves, run, status

MAKE = """\
ip link add lan0 type veth peer name lan0-port
ip link set lan0 address {mac}
ip link set lan0-port master br0
ip link set lan0-port up
ip link set lan0 up
"""
READY = """\
ip address replace 198.18.0.1/32 dev lan0
ip route replace {network} dev lan0 table 100
ip route show | grep -E "via .* dev br0" | sed s/br0/lan0/ | while read line; do ip route replace $line table 100; done
"""
PREPARE = (
    """\
echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore
ip rule add from {vip} lookup 100
ip route add unreachable default table 100 metric 9999
own=$(ip -4 -o address show dev eth0 | awk '{{ print $4 }}' | grep -v {vip})
route=$(ip route show default)
ip link add br0 type bridge
ip link set br0 up
ip address flush dev eth0
ip link set eth0 address 06{rest} master br0
ip address add $own dev br0
test -z "$route" || ip route add $(echo $route | sed s/eth0/br0/)
"""
    + MAKE
    + READY
)
BACK_WITHIN_S = 30.0
REBUILT_WITHIN_S = 5.0
"""For as long the address is nowhere while it gets its own interface; what comes after that has bounds of its own."""


async def _on_an_interface_of_its_own(cluster: Cluster, vip: str) -> None:
    network = f"{vip.rpartition('.')[0]}.0/24"
    await cluster.until_settled()
    await run(cluster, "n1", "sfha", "vip", "remove", "web")  # nobody answers from a MAC of the rebuilding
    for node in cluster.topology.node_names:
        mac = cluster.plan.mac(node)
        script = PREPARE.format(mac=mac, rest=mac[2:], vip=vip, network=network)
        await run(cluster, node, "sh", "-ec", script)
    await cluster.until(quorate(cluster.topology.node_names, cluster.topology.node_names), within_s=BACK_WITHIN_S)
    await run(cluster, "n1", "sfha", "vip", "add", "web", f"{vip}/24", "--interface", "lan0")
    await cluster.until_settled()


def _here(cluster: Cluster, vip: str, script: str) -> str:
    network = f"{vip.rpartition('.')[0]}.0/24"
    return script.format(mac=cluster.plan.mac("n1"), vip=vip, network=network)


async def _web(cluster: Cluster, node: str) -> dict[str, object]:
    (web,) = (await status(cluster, node))["vips"]
    return dict(web)


WAYS = {
    "set down": ("ip link set lan0 down", "ip link set lan0 up;" + READY, "is down"),
    "without a link": ("ip link set lan0-port down", "ip link set lan0-port up", "has no link"),
    "deleted": ("ip link delete lan0", MAKE + READY, "no interface lan0"),
    "renamed": ("ip link set lan0 name lan9", "ip link set lan9 name lan0;" + READY, "no interface lan0"),
    "given the address": ("ip address add {vip}/24 dev lan0", "ip address delete {vip}/24 dev lan0", "other than sfha"),
}


@headline
@per_engine
@hosts_kernel("it takes away an interface that is no bridge, and gives its address back within a second")
@promise("D-28", "D-29")
async def test_the_holders_interface_goes_away(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """In five ways, one after the other: served by n2 within a second, and by n1 when it is well, once each time."""
    await _on_an_interface_of_its_own(cluster, vip)
    cluster.expect(*highly_available(vip, outage_s=REBUILT_WITHIN_S))
    async with ledger.writing():
        for way, (breaks, mends, why) in WAYS.items():
            cluster.note(f"lan0 of n1 is {way}")
            before = await moves(cluster, "n3")
            await run(cluster, "n1", "sh", "-ec", _here(cluster, vip, breaks))
            await cluster.until(held_by_one_of(vip, ("n2",)), within_s=1)
            web = await _web(cluster, "n1")
            assert not web["held"]
            assert why in (await run(cluster, "n1", "sfha", "status"))
            assert "lacks 1" in (await run(cluster, "n3", "sfha", "status"))
            await run(cluster, "n1", "sh", "-ec", _here(cluster, vip, mends))
            await cluster.until(held_by_one_of(vip, ("n1",)), within_s=BACK_WITHIN_S)
            await comes_true(f"n3 has heard of it ({way})", partial(_has_moved, cluster, before + 2))
            assert await moves(cluster, "n3") - before == 2, f"{way}: there and back"
            await comes_true(f"n1 says that it holds it ({way})", partial(_says_held, cluster))
        await cluster.until_settled()


async def _says_held(cluster: Cluster) -> bool:
    return bool((await _web(cluster, "n1"))["held"])


async def _has_moved(cluster: Cluster, times: int) -> bool:
    return await moves(cluster, "n3") >= times


@promise("D-30", "D-31", "D-32")
async def test_a_node_that_lacks_things_joins_and_votes(
    cluster: Cluster, vip: str, ledger: ClusterLedger, operator: Operator
) -> None:
    """No interface, no log, the address given to it by hand: its daemon starts, says so, and its vote counts."""
    await _on_an_interface_of_its_own(cluster, vip)
    cluster.expect(*highly_available(vip, outage_s=REBUILT_WITHIN_S))
    async with ledger.writing():
        await run(cluster, "n3", "sh", "-ec", "ip link delete lan0; rm /var/log/sfha.log; mkdir /var/log/sfha.log")
        await _starts_anew(operator, "n3")
        await comes_true("n3 runs, and lacks its interface", lambda: _lacks(cluster, "n3", "link.missing"))
        assert "log cannot be written" in (await run(cluster, "n3", "sfha", "status"))
        async with cluster.under(Kill(the_node("n2"))):
            await cluster.until(quorate(("n1", "n3"), ("n1", "n3")), within_s=10)
            await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)
        mac = cluster.plan.mac("n3")
        await run(cluster, "n3", "sh", "-ec", MAKE.format(mac=mac) + f"ip address add {vip}/32 dev lan0")
        await run(cluster, "n3", "rmdir", "/var/log/sfha.log")
        await _starts_anew(operator, "n3")
        await comes_true("n3 runs, and lacks the address", lambda: _lacks(cluster, "n3", "link.own"))
        assert "log cannot be written" not in (await run(cluster, "n3", "sfha", "status"))
        await run(cluster, "n3", "ip", "address", "delete", f"{vip}/32", "dev", "lan0")
        await comes_true("n3 offers it", lambda: _lacks(cluster, "n3", None), within_s=BACK_WITHIN_S)
        await cluster.until_settled()


async def _starts_anew(operator: Operator, node: str) -> None:
    first = (await operator.running("sfha"))[node]
    await operator.daemon_dies(node)
    await operator.daemon_is_another(node, first)


async def _lacks(cluster: Cluster, node: str, key: str | None) -> bool:
    """As the node says, and as n1 has heard."""
    done = await cluster.engine.exec(node, ("sfha", "status", "--json"))
    if done.exit_code:
        return False
    (web,) = json.loads(done.stdout)["vips"]
    (seen,) = [one for one in (await status(cluster, "n1"))["nodes"] if one["name"] == node]
    said = web["lacks"] and web["lacks"]["key"]
    return bool(said == key and seen["sfhaRunning"] and seen["lacks"] == (key is not None))


@promise("D-33", "D-34")
async def test_a_nodes_own_address_stays_when_the_virtual_one_goes(
    cluster: Cluster, vip: str, ledger: ClusterLedger
) -> None:
    """The holder is given an address of the network; a second VIP goes; then the holder lets everything go."""
    cluster.expect(*highly_available(vip, outage_s=1.0))
    own, second = f"{vip.rpartition('.')[0]}.190", f"{vip.rpartition('.')[0]}.191"
    async with ledger.writing():
        said = await run(
            cluster, "n1", "sfha", "vip", "add", "odd", f"{second}/24", "--interface", "eth0:1", exit_code=1
        )
        assert "eth0:1" in said
        await run(cluster, "n1", "sfha", "vip", "add", "first", f"{second}/24")
        await run(cluster, "n1", "ip", "address", "add", f"{own}/24", "dev", "eth0")
        await run(cluster, "n1", "sfha", "vip", "remove", "first")
        assert {vip, own} <= await addresses(cluster, "n1")
        await run(cluster, "n1", "sfha", "standby")
        await cluster.until(held_by_one_of(vip, ("n2",)), within_s=5)
        found = await addresses(cluster, "n1")
        assert own in found
        assert vip not in found
        await run(cluster, "n1", "sfha", "unstandby")
        for node in cluster.topology.node_names:
            await run(cluster, node, "ip", "link", "add", "inet", "type", "veth", "peer", "name", "inet-far")
            await run(cluster, node, "ip", "link", "set", "inet-far", "up")
            await run(cluster, node, "ip", "link", "set", "inet", "up")
        await cluster.until_settled()
        await run(cluster, "n1", "sfha", "vip", "add", "odd", "198.51.100.7/24", "--interface", "inet")
        await cluster.until_settled()


@promise("D-46")
async def test_the_holder_loses_its_default_route(cluster: Cluster, vip: str, ledger: ClusterLedger) -> None:
    """n2, which has one, serves within a second; n1 again when its own is back. Where all lose theirs, nobody moves."""
    cluster.expect(*highly_available(vip, outage_s=1.0))
    network = vip.rpartition(".")[0]
    has_one = f"ip route replace default via {network}.254 dev eth0"
    nodes = cluster.topology.node_names
    async with ledger.writing():
        for one in nodes:
            await run(cluster, one, "sh", "-ec", has_one)
        before = await moves(cluster, "n3")
        await run(cluster, "n1", "ip", "route", "delete", "default")
        await cluster.until(held_by_one_of(vip, ("n2",)), within_s=1)
        assert "default route by eth0" in await run(cluster, "n1", "sfha", "status")
        await run(cluster, "n1", "sh", "-ec", has_one)
        await cluster.until(held_by_one_of(vip, ("n1",)), within_s=BACK_WITHIN_S)
        await comes_true("n3 has heard of it", lambda: _has_moved(cluster, before + 2))
        for one in reversed(nodes):
            await run(cluster, one, "ip", "route", "delete", "default")
        for one in nodes:
            await comes_true(f"{one} lacks its way", partial(_lacks_its_way, cluster, one))
        await cluster.until(held_by_one_of(vip, ("n1",)), within_s=1)
        assert await moves(cluster, "n3") - before == 2, "there and back"


async def _lacks_its_way(cluster: Cluster, node: str) -> bool:
    (web,) = (await status(cluster, node))["vips"]
    return bool(web["lacks"] and web["lacks"]["key"] == "link.no-way")
