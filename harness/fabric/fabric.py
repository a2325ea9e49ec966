"""The network of a run, in a namespace of its own: the same for every engine.

Nothing here touches the host's namespace. The namespace is kept alive by somebody else
(the keeper process) and everything in it dies with it.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from pyroute2 import IPRoute

from harness.addresses import FIRST_STRANGER, LAST_STRANGER, PREFIX_LENGTH, AddressPlan
from harness.character import Character
from harness.errors import FabricError
from harness.fabric import links
from harness.fabric.canary import ORDINARY, Arrival, CanaryEnd, End, Like, Sender, Train, arrives, how_many_arrive, ride
from harness.fabric.cuts import Cut, base_rules, cut_table, heal_rules
from harness.fabric.layout import Flow, Layout, of_link
from harness.fabric.namespaces import NamespaceThread, call_in
from harness.fabric.nft import Nft
from harness.fabric.plug import Plug
from harness.fabric.shaping import Direction, Home, Shaping
from harness.topology import WAN, Link, Topology

NODE_INTERFACE = "eth0"
WITNESS_MAC = "02:00:00:00:00:fe"
_ARP_NEVER = "8"


class Fabric:
    """Places, cables and cuts. Every verb raises FabricError with the kernel's own words on failure.

    Calls are short (milliseconds) and synchronous, and may come from any thread.
    """

    def __init__(self, topology: Topology, plan: AddressPlan, namespace: Path, home: Home | None = None) -> None:
        """Attach to a private network namespace, built already or not.

        ``namespace`` is a path such as /proc/PID/ns/net; without a home there is no shaping. Raises FabricError when
        it is gone, HostError when libnftables is missing.
        """
        self.topology = topology
        self.plan = plan
        self.namespace = namespace
        self.layout = Layout(topology)
        self._ends: dict[str, CanaryEnd] = {}
        self._bridges: dict[str, int] = {}
        _refuse_own_namespace(namespace)
        self._thread = NamespaceThread(namespace)
        try:
            self._nft = self._thread.run(Nft)
            self._route = self._thread.run(IPRoute)
        except BaseException:
            self._thread.close()
            raise
        self._shaping = Shaping(home, self.layout, self._nft, self._route, self._thread) if home is not None else None

    # --- building ----------------------------------------------------------------------------------

    def build(self) -> None:
        """Make the bridge of every place and connect them: all that is there before the first node."""
        self._thread.run(self._build)

    def _build(self) -> None:
        _set_kernel_switches(self.layout.routed)
        for place in self.layout.places:
            self._bridges[place] = links.add_bridge(self._route, self.layout.bridge(place))
        hub = None if self.layout.routed else self._bridges[WAN]
        for place in filter(self.layout.has_uplink, self.layout.places):
            cable = links.Cable(
                near=self.layout.uplink(place),
                near_bridge=self._bridges[place],
                far=self.layout.far_end(place),
                far_bridge=hub,
                far_mac=self.plan.gateway_mac(place),
            )
            index = links.add_cable(self._route, cable)
            if self.layout.routed:
                links.add_address(self._route, index, self.plan.gateway(place), PREFIX_LENGTH)
        self._nft.run(base_rules(self.layout))
        for place in filter(self.layout.has_uplink, self.layout.places):
            links.wait_until_forwarding(self._route, self.layout.uplink(place))
            if not self.layout.routed:
                links.wait_until_forwarding(self._route, self.layout.far_end(place))

    def plug(self, node: str, pid: int) -> None:
        """Give a node its eth0: up, with hardware address, address and, in a routed LAN, default route.

        ``pid`` is a process in the node's network namespace. Works again after a restart; existing cuts
        hold for the new cable from its first packet.
        """
        self.topology.node(node)
        self._plug(node, Path(f"/proc/{pid}/ns/net"), NODE_INTERFACE)

    def plug_into_bridge(self, node: str, pid: int, inner: str) -> None:
        """Plug in a node whose kernel is this process, by a bridge in its namespace that leads to that kernel."""
        bridge, port = partial(self._bridge_index, self.topology.place_of(node)), self.layout.port(node)
        namespace = Path(f"/proc/{pid}/ns/net")
        self._thread.run(lambda: links.plug_into_bridge(self._route, port, bridge(), namespace=namespace, inner=inner))
        if self._shaping is not None:
            self._shaping.plugged(port)

    def end_at(self, endpoint: str, interface: str = NODE_INTERFACE) -> Plug:
        """What a node's or client's end of its cable is, or is to be, like."""
        place = self.topology.place_of(endpoint)
        return Plug(
            interface=interface,
            mac=self.plan.mac(endpoint),
            address=self.plan.address(endpoint),
            prefix_length=PREFIX_LENGTH,
            gateway=self.plan.gateway(place) if self.layout.routed else None,
        )

    def add_witness(self, place: str) -> str:
        """An interface of this namespace that hears whatever a place's bridge floods; what it sends, no cut stops.

        It has no address, and answers nothing.
        """
        near, far = self.layout.witness(place)
        bridge = partial(self._bridge_index, place)
        cable = partial(links.Cable, near=near, far=far, far_bridge=None, far_mac=WITNESS_MAC)

        def add() -> None:
            links.add_cable(self._route, cable(near_bridge=bridge()))
            # Where this namespace is the router, it would answer for the router's addresses here as well.
            Path("/proc/sys/net/ipv4/conf", far, "arp_ignore").write_text(_ARP_NEVER)
            links.wait_until_forwarding(self._route, near)

        self._thread.run(add)
        return far

    def plug_client(self, client: str, namespace: Path, interface: str = NODE_INTERFACE) -> None:
        """Give a client a port in the namespace it lives in, at its place in the topology."""
        self.topology.client(client)
        self._plug(client, namespace, interface)

    def _plug(self, endpoint: str, namespace: Path, interface: str) -> None:
        place = self.topology.place_of(endpoint)
        plug, port = self.end_at(endpoint, interface), self.layout.port(endpoint)
        self._thread.run(lambda: links.plug_in(self._route, port, self._bridge_index(place), plug, namespace))
        if self._shaping is not None:
            self._shaping.plugged(port)
        self.remember(endpoint, namespace, interface)

    def unplug(self, endpoint: str) -> None:
        """Pull a node's or client's cable; one that is not plugged in is no error."""
        self.topology.place_of(endpoint)
        self._ends.pop(endpoint, None)
        self._thread.run(lambda: links.remove_link(self._route, self.layout.port(endpoint)))

    def _bridge_index(self, place: str) -> int:
        if place not in self._bridges:  # attached to a fabric that another process built
            index = links.index_of(self._route, self.layout.bridge(place))
            if index is None:
                raise FabricError("the fabric is not built")
            self._bridges[place] = index
        return self._bridges[place]

    # --- cutting -----------------------------------------------------------------------------------

    def cut(self, name: str, flows: Iterable[Flow], only: str = "") -> Cut:
        """Drop these flows from now on, until the cut is healed; other cuts do not matter to it.

        One transaction, in force when this returns. The same name replaces the older cut of that name.
        ``only``: not all packets of the flows, but those that this expression of nft matches.
        UsageError for a name that cannot be that of a table.
        """
        cut = Cut(name, cut_table(name), self._nft, self._thread)
        cut.apply(self.layout.drops(flows), only)
        return cut

    def heal(self, name: str) -> None:
        """Heal the cut of this name, whoever made it; one that is not there is no error."""
        Cut(name, cut_table(name), self._nft, self._thread).heal()

    def delete_table(self, family: str, table: str) -> None:
        """Delete a table of anybody's, as a journal names it; one that is not there is no error."""
        self._thread.run(lambda: self._nft.run(heal_rules(table, family)))

    # --- shaping -----------------------------------------------------------------------------------

    @property
    def shaping(self) -> Shaping:
        """What gives links a character. FabricError for a fabric that has no home."""
        if self._shaping is None:
            raise FabricError("this fabric has no place for what its links are like")
        return self._shaping

    def shape_links(self, seed: int) -> tuple[Link, ...]:
        """Give the links of the topology their characters; gives those that have one."""
        shaped = tuple(link for link in self.topology.links if link.character != Character())
        for number, link in enumerate(shaped):
            directions = [Direction(flow, link.character) for flow in of_link(self.topology, link)]
            self.shaping.shape(f"link-{link.name}", directions, seed + number)
        return shaped

    # --- proving -----------------------------------------------------------------------------------

    def remember(self, endpoint: str, namespace: Path, interface: str = NODE_INTERFACE) -> None:
        """Where a node or client lives, for canaries of a process that did not plug it in itself."""
        self.remember_end(endpoint, End(namespace, interface, self.plan.mac(endpoint), self.plan.address(endpoint)))

    def remember_end(self, endpoint: str, end: CanaryEnd) -> None:
        """Where canaries of a node that is not on this host's kernel come from and go to."""
        self._ends[endpoint] = end

    def is_plugged(self, endpoint: str) -> bool:
        """Whether canaries can be sent from and to it: a node that has just been given power cannot yet."""
        return endpoint in self._ends

    async def canary(self, source: str, destination: str, within_s: float, like: Like = ORDINARY) -> bool:
        """Whether a real packet from one node or client reaches the other, tried until ``within_s`` has passed.

        In this direction only, whatever the state of ARP; what the links on its way keep it for is waited for besides,
        and what they lose is sent again. FabricError when either is not plugged in or has
        no namespace any more.
        """
        ends = (self._end(source), self._end(destination))
        if self._shaping is not None:
            within_s += self._shaping.on_the_way(source, destination).longest_s
        return await arrives(*ends, within_s=within_s, next_hop_mac=self._next_hop(source, destination), like=like)

    async def flock(self, source: str, destination: str, count: int) -> int:
        """How many of so many canaries, sent at once, arrive."""
        ends = (self._end(source), self._end(destination))
        quiet_s = self._shaping.on_the_way(source, destination).longest_s if self._shaping is not None else 0.0
        next_hop_mac = self._next_hop(source, destination)
        return await how_many_arrive(*ends, count=count, next_hop_mac=next_hop_mac, besides_s=quiet_s)

    async def ride(self, source: str, destination: str, train: Train) -> list[Arrival]:
        """What comes of a train of canaries from one to the other."""
        return await ride(self._end(source), self._end(destination), train, self._next_hop(source, destination))

    def _next_hop(self, source: str, destination: str) -> str | None:
        here, there = self.topology.place_of(source), self.topology.place_of(destination)
        return self.plan.gateway_mac(here) if self.layout.routed and here != there else None

    def end(self, name: str) -> End:
        """The namespace in which a node, client or stranger is plugged in. FabricError when it is not, or has none."""
        end = self._end(name)
        if not isinstance(end, End):
            raise FabricError(f"{name} has a kernel of its own, and no network namespace of this host")
        return end

    def wire(self, name: str) -> End:
        """Where what comes to a node, client or stranger by its cable can be heard. FabricError when it has none."""
        return self._end(name).wire

    @property
    def everywhere(self) -> End:
        """Where all that anybody sends can be heard on its way, by each cable that it comes through once."""
        return End(self.namespace, "", "", "")

    def speaker(self, name: str) -> Sender:
        """What puts frames on the wire of a node, client or stranger, as that itself. FabricError."""
        return self._end(name).sender()

    def _end(self, name: str) -> CanaryEnd:
        if name not in self._ends:
            raise FabricError(f"{name} is not plugged in")
        return self._ends[name]

    # --- strangers, and cables without a carrier -----------------------------------------------------

    def plug_stranger(self, number: int, place: str, namespace: Path) -> End:
        """Give a host that is no node a port at a place, in a namespace of its own."""
        name = f"stranger{number}"
        plug = Plug(
            interface=NODE_INTERFACE,
            mac=self.plan.stranger_mac(number),
            address=self.plan.stranger_address(place, number),
            prefix_length=PREFIX_LENGTH,
            gateway=self.plan.gateway(place) if self.layout.routed else None,
        )
        port = self.layout.stranger_port(number)
        self._thread.run(lambda: links.plug_in(self._route, port, self._bridge_index(place), plug, namespace))
        end = End(namespace, NODE_INTERFACE, plug.mac, plug.address)
        self._ends[name] = end
        return end

    def free_stranger(self) -> int:
        """The number of a stranger that is not plugged in now, by anybody."""

        def is_free(number: int) -> bool:
            return links.index_of(self._route, self.layout.stranger_port(number)) is None

        numbers = range(LAST_STRANGER - FIRST_STRANGER)  # the last address is nobody's, ever
        found = self._thread.run(lambda: next(filter(is_free, numbers), None))
        if found is None:
            raise FabricError(f"{len(numbers)} strangers are plugged in already")
        return found

    def drop_carrier(self, endpoint: str) -> None:
        """Set the fabric's end of a cable down: the kernel at the other end loses its carrier."""
        self.topology.place_of(endpoint)
        self._thread.run(lambda: links.set_down(self._route, self.layout.port(endpoint)))

    def has_carrier(self, endpoint: str) -> bool:
        """What the kernel at the other end of a cable says."""
        end = self.end(endpoint)
        return call_in(end.namespace, lambda: links.has_carrier(end.interface))

    def close(self) -> None:
        """Let go of the namespace; what is in it stays until its keeper ends. May be called again."""
        with suppress(FabricError):
            self._thread.run(self._nft.close)
            self._thread.run(self._route.close)
        self._thread.close()


def _refuse_own_namespace(namespace: Path) -> None:
    try:
        same = namespace.stat().st_ino == Path("/proc/self/ns/net").stat().st_ino
    except FileNotFoundError:
        raise FabricError(f"network namespace {namespace} is gone") from None
    except PermissionError as error:
        raise FabricError(f"cannot look at {namespace}: {error.strerror}; run as root") from None
    if same:
        raise FabricError(f"{namespace} is the namespace this process itself is in; the fabric needs a private one")


def _set_kernel_switches(routed: bool) -> None:
    """Switches of the namespace the calling thread is in. Those a kernel does not have are left out."""
    switches = {
        # Bridged packets must not pass this namespace's IP rules as well.
        "bridge/bridge-nf-call-iptables": "0",
        "bridge/bridge-nf-call-ip6tables": "0",
        "bridge/bridge-nf-call-arptables": "0",
        # No neighbour discovery of the fabric's own on wires that are being watched.
        "ipv6/conf/all/disable_ipv6": "1",
        "ipv6/conf/default/disable_ipv6": "1",
        "ipv4/ip_forward": "1" if routed else "0",
        "ipv4/conf/all/rp_filter": "0",
        "ipv4/conf/default/rp_filter": "0",
        "ipv4/conf/all/send_redirects": "0",
    }
    for name, value in switches.items():
        with suppress(FileNotFoundError):
            Path("/proc/sys/net", name).write_text(value)
