"""All nodes get new addresses while the cluster is down: a person says so on one node, and they find each other."""

from fixtures.expected import undisturbed
from fixtures.marks import headline, promise, software
from fixtures.sfha.operator import Operator
from harness.cluster import Cluster
from harness.conditions import held_by_nobody, held_by_one_of, quorate
from harness.wait import until

NODES = ("n1", "n2", "n3")


async def _answers(operator: Operator, name: str) -> None:
    async def there() -> bool:
        return bool(await operator.status(name))

    await until(there, within_s=15, every_s=0.2, what=f"the daemon of {name} answers")


@headline
@software("sfha-unconfigured", "etcd")
@promise("D-21")
async def test_new_addresses_after_a_cold_start(cluster: Cluster, vip: str, operator: Operator) -> None:
    """`sfha mesh endpoint` on n1 for n2 and n3: all meet, each learns where the others are, and it lasts."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip, outage_s=None))
    for name in NODES[1:]:
        await operator.joins(name, seeder="n1")
    await operator.all_list(NODES, NODES)
    await operator.logged("n1", "newcomer-votes", name="n3")
    new = {name: f"{cluster.plan.address(name)[::-1].partition('.')[2][::-1]}.2{name[1:]}" for name in NODES}
    for name in NODES:
        await operator.daemon_dies(name)
        await operator.shell(name, "pkill -9 -x corosync; ip link delete wg-sfha")
    for name in NODES:
        await operator.succeeds(name, f"ip -4 address flush dev eth0; ip address add {new[name]}/24 dev eth0")
    await cluster.until(held_by_nobody(vip), within_s=5)
    for name in NODES:
        await operator.daemon_starts(name)
    for name in NODES:
        await _answers(operator, name)
    said = await operator.does("n1", "mesh", "endpoint", "nobody", f"{new['n2']}:51820", exit_code=1)
    assert "n1, n2, n3" in said
    await operator.does("n1", "mesh", "endpoint", "n2", "n2", exit_code=1)
    for name in NODES[1:]:
        await operator.types("n1", "mesh", "endpoint", name, f"{new[name]}:51820")
    await operator.all_list(NODES, NODES, within_s=60)
    await cluster.until(quorate(NODES, NODES), within_s=10)
    await cluster.until(held_by_one_of(vip, NODES), within_s=10)
    for name in NODES:
        await operator.logged(name, "roster-changed", cause="endpoint n3")
        for other in set(NODES[1:]) - {name}:
            assert new[other] in await operator.shell(name, "cat /etc/sfha/mesh.json"), (name, other)
    await operator.does("n1", "mesh", "endpoint", "n1", f"{new['n1']}:51820")
    await operator.logged("n3", "roster-changed", cause="endpoint n1")
