"""A fabric of real namespaces: who reaches whom, restarts, neighbours, and what the host sees of it."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.addresses import AddressPlan
from harness.errors import FabricError, UsageError
from harness.fabric.fabric import Fabric
from harness.fabric.layout import drop
from harness.fabric.namespaces import call_in
from harness.wait import until
from tests.fabric.conftest import Built, KeptNamespaces, draw

FIXTURES = Path(__file__).parents[2] / "fixtures" / "topologies"
ANSWER_S = 3.0


def answered(built: Built, source: str, destination: str) -> bool:
    """A question and its answer with ordinary sockets: address resolution and routes included."""
    address = built.fabric.plan.address(destination)

    def listening() -> socket.socket:
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.bind((address, 0))
        server.listen()
        return server

    with call_in(built.ends[destination].path, listening) as server:
        port = server.getsockname()[1]
        connection = call_in(
            built.ends[source].path, lambda: socket.create_connection((address, port), timeout=ANSWER_S)
        )
        with connection, server.accept()[0] as accepted:
            accepted.sendall(b"here")
            return connection.recv(4) == b"here"


async def test_everybody_reaches_everybody(built: Built) -> None:
    assert await built.unreachable(within_s=5.0) == set()


def test_ordinary_connections_work_between_sites_and_from_clients(built: Built) -> None:
    for source, destination in (("n1", "n2"), ("n1", "n4"), ("user", "n3"), ("n4", "clerk"), ("clerk", "user")):
        assert answered(built, source, destination)


def test_a_node_has_the_addresses_of_the_plan(built: Built) -> None:
    plan = built.fabric.plan

    def mac_of_eth0() -> str:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as probe:
            probe.bind(("eth0", 0))
            return str(probe.getsockname()[4].hex(":"))

    assert call_in(built.ends["n3"].path, mac_of_eth0) == plan.mac("n3")


async def test_a_restarted_node_is_plugged_in_again(built: Built, namespaces: KeptNamespaces) -> None:
    for _ in range(10):  # often enough to meet the kernel while it still removes the old cable
        built.ends["n3"].end()
        built.ends["n3"] = namespaces()
        built.fabric.plug("n3", built.ends["n3"].pid)
        assert await built.fabric.canary("n1", "n3", within_s=5.0)
        assert await built.fabric.canary("n3", "user", within_s=5.0)
    assert answered(built, "n3", "n1")


async def test_a_cable_can_be_pulled_and_laid_anew(stretched: Built) -> None:
    stretched.fabric.unplug("n1")
    stretched.fabric.unplug("n1")
    with pytest.raises(FabricError, match="n1 is not plugged in"):
        await stretched.fabric.canary("n1", "n2", within_s=0.01)
    stretched.fabric.plug("n1", stretched.ends["n1"].pid)
    stretched.fabric.plug("n1", stretched.ends["n1"].pid)  # replaces the cable that is there
    assert await stretched.fabric.canary("n1", "n2", within_s=5.0)


async def test_a_dead_node_leaves_nothing_behind_and_is_named(stretched: Built) -> None:
    inode = stretched.ends["n1"].path.stat().st_ino
    await stretched.fabric.canary("n1", "n2", within_s=1.0)
    stretched.ends["n1"].end()
    with pytest.raises(FabricError, match="gone"):
        await stretched.fabric.canary("n2", "n1", within_s=0.01)
    with pytest.raises(FabricError, match="gone"):
        stretched.fabric.plug("n1", stretched.ends["n1"].pid)

    def port_is_gone() -> bool:
        names = call_in(stretched.fabric.namespace, socket.if_nameindex)
        return "p-n1" not in {name for _, name in names}

    # Only when no descriptor of ours keeps the namespace does the kernel remove its end of the cable.
    await until(port_is_gone, within_s=5.0, what=f"namespace {inode} of the dead node removed by the kernel")


async def test_two_fabrics_side_by_side_do_not_touch_each_other(
    stretched: Built, build_another: Callable[[str], Built]
) -> None:
    other = build_another("another-run")
    assert other.fabric.plan.network("dijon") != stretched.fabric.plan.network("dijon")
    cut = stretched.fabric.cut("same", drop("n1", "n3"))
    other_cut = other.fabric.cut("same", drop("n3", "n1"))
    assert await stretched.unreachable() == {("n1", "n3")}
    assert await other.unreachable() == {("n3", "n1")}
    cut.heal()
    assert other_cut.in_force()


@pytest.fixture
def host_before() -> tuple[set[str], str]:
    return host_state()


def host_state() -> tuple[set[str], str]:
    forwarding = Path("/proc/sys/net/ipv4/ip_forward").read_text()
    return {name for _, name in socket.if_nameindex()}, forwarding


async def test_the_host_sees_nothing_of_it(host_before: tuple[set[str], str], routed: Built) -> None:
    routed.fabric.cut("unseen", drop("n1", "n3"))
    assert host_state() == host_before
    inside = {name for _, name in call_in(routed.fabric.namespace, socket.if_nameindex)}
    assert {"s-dijon", "p-n1", "p-user"} <= inside


def test_a_fabric_is_never_built_in_the_namespace_of_the_harness_itself() -> None:
    topology = draw()
    with pytest.raises(FabricError, match="needs a private one"):
        Fabric(topology, AddressPlan(topology, "mine"), Path("/proc/self/ns/net"))


def test_a_namespace_that_is_gone_is_named() -> None:
    topology = draw()
    with pytest.raises(FabricError, match="/proc/0/ns/net is gone"):
        Fabric(topology, AddressPlan(topology, "gone"), Path("/proc/0/ns/net"))


def test_a_namespace_that_has_such_a_link_already_is_named(stretched: Built) -> None:
    with pytest.raises(FabricError, match=r"cannot plug p-n2 .* already has a link eth0"):
        stretched.fabric.plug("n2", stretched.ends["n1"].pid)


def test_a_fabric_is_built_once(stretched: Built) -> None:
    with pytest.raises(FabricError, match="cannot add bridge s-dijon: it is already there"):
        stretched.fabric.build()


def test_only_what_is_drawn_can_be_plugged_in(stretched: Built) -> None:
    with pytest.raises(UsageError, match="no node 'n9'"):
        stretched.fabric.plug("n9", stretched.ends["n1"].pid)
    with pytest.raises(UsageError, match="no client 'n1'"):
        stretched.fabric.plug_client("n1", stretched.ends["n1"].path)
    with pytest.raises(UsageError, match="no node or client 'n9'"):
        stretched.fabric.unplug("n9")


def test_a_fabric_must_be_built_before_something_is_plugged_in(namespaces: KeptNamespaces) -> None:
    topology = draw()
    fabric = Fabric(topology, AddressPlan(topology, "empty"), namespaces().path)
    with pytest.raises(FabricError, match="not built"):
        fabric.plug("n1", namespaces().pid)
    fabric.close()
    fabric.close()
    with pytest.raises(FabricError, match="closed"):
        fabric.plug("n1", namespaces().pid)


async def test_another_process_can_attach_to_a_built_fabric(stretched: Built, namespaces: KeptNamespaces) -> None:
    attached = Fabric(stretched.topology, stretched.fabric.plan, stretched.fabric.namespace)
    attached.remember("n1", stretched.ends["n1"].path)
    end = namespaces()
    attached.plug("n2", end.pid)
    assert await attached.canary("n1", "n2", within_s=5.0)
    attached.close()
