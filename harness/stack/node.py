"""The node: where the cores meet. It feeds them what happened and does what they decide, in order.

Nothing here waits. The runtime calls ``membership_reported``, ``datagram``, ``set_standby``,
``wake`` and ``stop``; after each of them ``wake_s`` says when to call ``wake``.
"""

from collections import deque

from . import wire
from .config import Config, Mesh, Vip
from .election.core import ElectionCore, Heartbeat, Self, View
from .membership.core import MembershipCore, Report
from .ports import Ports
from .status import NodeStatus, PeerStatus, Status, VipStatus
from .vip import core as vip
from .vip import lease


class Node:
    """One sfha daemon without its operating system."""

    def __init__(self, config: Config, mesh: Mesh, ports: Ports, incarnation: int) -> None:
        now_s = ports.clock()
        profile, unsafe = config.profile, config.unsafe
        self._config, self._mesh, self._ports = config, mesh, ports
        self._names = {node.node_id: node.name for node in mesh.nodes()}
        self._vips: dict[str, Vip] = {item.name: item for item in config.vips}
        self._incarnation = incarnation
        self._node_id = mesh.own.node_id
        self._guarded = config.quorum_required and unsafe.quorum_guard
        terms = lease.Terms(
            lease_s=profile.lease_s,
            promise_s=profile.promise_s,
            renew_every_s=profile.renew_every_s,
            needs_votes=self._guarded,
            released_on_loss=unsafe.release_on_loss,
        )
        votes = {node.node_id: node.votes for node in mesh.nodes()}
        self._membership = MembershipCore()
        self._election = ElectionCore(self._node_id, profile.suspect_after_s, quorum_required=self._guarded)
        self._lease = lease.LeaseCore(self._node_id, votes, terms, incarnation, now_s)
        self._addresses = vip.VipCore(list(self._vips), announce=unsafe.announce)
        self._standing = lease.Standing(None, False, frozenset())
        self._work: deque[lease.Action | vip.Action] = deque()
        self._standby = self._stopping = False
        self._sequence = 0
        self._last_beat: Heartbeat | None = None
        self._beat_s = now_s
        self._trouble: dict[str, str] = {}

    @property
    def wake_s(self) -> float:
        """When ``wake`` wants to be called at the latest (seconds of the clock)."""
        times = [self._beat_s, self._lease.wake_s, self._addresses.wake_s]
        times.append(self._election.wake_s(self._standing.leader))
        if not self._lease.ready(self._ports.clock()):
            times.append(self._lease.silent_until_s)
        return min(time_s for time_s in times if time_s is not None)

    # --- what the runtime reports ---

    def start(self) -> None:
        """Close the gate and take away what an earlier life may have left. Raises what the gate raises."""
        if not self._vips:
            return
        self._ports.gate.install()
        for item in self._vips.values():
            for address, prefix in self._ports.addresses.addresses(item.interface):
                if address == item.address:
                    self._ports.addresses.remove(item.interface, address, prefix)
                    self._ports.log("vip-left-over", vip=item.name, address=address)
        for name in self._config.unsafe.broken():
            self._ports.log(
                "warning", message=f"unsafe.{name} is false: a guarantee of this stack is BROKEN on purpose"
            )
        if not self._ports.gate.egress:
            self._ports.log(
                "warning", message="no egress hook in this kernel: stale packets of a thawed node may leave"
            )

    def membership_reported(self, report: Report) -> None:
        """Corosync reported, or was lost (then the report is DISCONNECTED)."""
        change = self._membership.take(report)
        if change is None:
            return
        members = sorted(report.members)
        self._ports.log("membership-changed", quorate=report.quorate, members=members, ring=report.ring)
        self._election.view_changed(View(report.quorate, report.members))
        if change.joined:
            self._address_step(vip.ContactRegained())
        self._decide()

    def datagram(self, sender: int, datagram: bytes) -> None:
        """A datagram of a known peer arrived."""
        try:
            message = wire.decode(datagram)
        except ValueError as error:
            self._complain("datagram", f"from node {sender}: {error}")
            return
        now_s = self._ports.clock()
        if isinstance(message, Heartbeat):
            if self._election.hear(sender, message, now_s):
                self._address_step(vip.ContactRegained())
        else:
            self._election.heard_from(sender, now_s)
            self._lease_step(lease.Received(sender, message))
        self._decide()

    def wake(self) -> None:
        """The time of ``wake_s`` has come (or any other: it does no harm)."""
        self._lease_step(lease.Wake())
        self._address_step(vip.Wake())
        self._decide()
        if self._ports.clock() >= self._beat_s:
            self._beat()

    def set_standby(self, standby: bool) -> None:
        """Go into or out of standby."""
        if standby != self._standby:
            self._standby = standby
            self._ports.log("standby", standby=standby)
            self._decide()

    def stop(self) -> None:
        """Release everything at once and tell the others; nothing is taken up again."""
        self._stopping = True
        self._work.extend(self._lease.give_up("stopping", self._ports.clock()))
        self._drain()
        self._decide()
        self._ports.log("daemon-stopped")

    def status(self) -> Status:
        """A snapshot; asking changes nothing."""
        now_s = self._ports.clock()
        report, leader = self._membership.report, self._standing.leader
        holding = self._lease.phase is lease.Phase.HOLDING
        return Status(
            cluster=self._config.cluster,
            node=self._config.node,
            node_id=self._node_id,
            profile=self._config.profile.name,
            ready=self._ready(now_s),
            standby=self._standby,
            quorate=report.quorate,
            members=tuple(sorted(report.members)),
            ring=report.ring,
            leader=leader,
            leader_name=self._names.get(leader) if leader is not None else None,
            active=self._addresses.active,
            lease=self._lease.phase.value,
            promised_to=self._lease.promised_to,
            gate_egress=self._ports.gate.egress,
            broken_on_purpose=self._config.unsafe.broken(),
            vips=tuple(
                VipStatus(
                    name=name,
                    address=item.address,
                    interface=item.interface,
                    held=holding and self._addresses.present(name),
                    present=self._addresses.present(name),
                    error=self._addresses.error(name),
                )
                for name, item in self._vips.items()
            ),
            peers=tuple(self._peer_status(peer, now_s) for peer in sorted(self._names) if peer != self._node_id),
            nodes=tuple(self._node_status(node, now_s) for node in sorted(self._names)),
        )

    def _node_status(self, node: int, now_s: float) -> NodeStatus:
        own, heard = node == self._node_id, self._election.heard.get(node)
        return NodeStatus(
            name=self._names[node],
            node_id=node,
            online=node in self._membership.report.members,
            sfhaRunning=own or node in self._election.alive(now_s),
            standby=self._standby if own else bool(heard and heard.beat.standby),
            leader=node == self._standing.leader,
        )

    def _peer_status(self, peer: int, now_s: float) -> PeerStatus:
        heard = self._election.heard.get(peer)
        return PeerStatus(
            name=self._names[peer],
            node_id=peer,
            heard_s_ago=round(now_s - heard.at_s, 3) if heard else None,
            alive=peer in self._election.alive(now_s),
            standby=heard.beat.standby if heard else False,
            ready=heard.beat.ready if heard else False,
            leader=heard.beat.leader if heard else None,
        )

    # --- deciding ---

    def _ready(self, now_s: float) -> bool:
        return self._lease.ready(now_s) and not self._stopping

    def _decide(self) -> None:
        """Elect anew; tell the lease where it stands, and the others what changed."""
        now_s = self._ports.clock()
        self._election.self_changed(Self(self._standby, self._ready(now_s)))
        report = self._membership.report
        leader = self._election.leader(now_s)
        standing = lease.Standing(leader, report.quorate, report.members)
        if standing != self._standing:
            before, self._standing = self._standing, standing
            if leader != before.leader:
                name = self._names.get(leader) if leader is not None else None
                self._ports.log("leader-elected", leader=leader, leader_name=name, quorate=report.quorate)
            if self._vips:
                self._lease_step(standing)
        beat = self._own_beat(now_s)
        if self._last_beat is None or _what_it_says(beat) != _what_it_says(self._last_beat):
            self._beat()

    def _own_beat(self, now_s: float) -> Heartbeat:
        report, ready = self._membership.report, self._ready(now_s)
        return Heartbeat(
            incarnation=self._incarnation,
            sequence=self._sequence,
            standby=self._standby,
            ready=ready,
            quorate=report.quorate,
            ring=report.ring,
            leader=self._standing.leader,
        )

    def _beat(self) -> None:
        now_s = self._ports.clock()
        self._sequence += 1
        self._last_beat = self._own_beat(now_s)
        self._beat_s = now_s + self._config.profile.heartbeat_s
        self._ports.messenger.send(None, wire.encode(self._last_beat))

    # --- doing ---

    def _lease_step(self, signal: lease.Signal) -> None:
        self._work.extend(self._lease.step(signal, self._ports.clock()))
        self._drain()

    def _address_step(self, signal: vip.Signal) -> None:
        self._work.extend(self._addresses.step(signal, self._ports.clock()))
        self._drain()

    def _drain(self) -> None:
        """Do what was decided, one thing after the other; what comes of it is decided on in turn."""
        while self._work:
            self._perform(self._work.popleft())

    def _perform(self, action: lease.Action | vip.Action) -> None:
        match action:
            case lease.GateCall():
                ok = self._call_gate(action)
                self._work.extend(self._lease.step(lease.GateDone(action, ok), self._ports.clock()))
            case lease.Send(to, message):
                self._ports.messenger.send(to, wire.encode(message))
            case lease.Held():
                self._ports.log("lease-acquired", number=self._lease.number)
                self._work.extend(self._addresses.step(vip.LeaseHeld(), self._ports.clock()))
            case lease.Lost(reason):
                self._ports.log("lease-lost", reason=reason)
                self._work.extend(self._addresses.step(vip.LeaseLost(), self._ports.clock()))
            case vip.AddAddress(name, verify):
                error = self._add_address(self._vips[name], verify)
                self._work.extend(self._addresses.step(vip.AddressDone(name, error), self._ports.clock()))
            case vip.RemoveAddress(name):
                self._remove_address(self._vips[name])
            case vip.Announce(name):
                self._announce(self._vips[name])
            case vip.Activated():
                self._ports.log("resources-activated", vips=list(self._vips))
            case vip.ActivationFailed(name, why):
                self._ports.log("activation-failed", vip=name, error=why)

    def _call_gate(self, call: lease.GateCall) -> bool:
        gate = self._ports.gate
        try:
            match call:
                case lease.GateCall.ARM:
                    self._ports.log("lease-requested", number=self._lease.number + 1)
                    gate.arm()
                    ok = True
                case lease.GateCall.OPEN:
                    ok = gate.open()
                case lease.GateCall.RENEW:
                    ok = gate.renew()
                case lease.GateCall.CLOSE:
                    gate.close()
                    ok = True
        except self._ports.gate_error as error:
            self._complain(f"gate {call.value}", str(error))
            return False
        self._trouble.pop(f"gate {call.value}", None)
        if not ok:
            self._ports.log("lease-expired", call=call.value)
        return ok

    def _add_address(self, item: Vip, verify: bool) -> str | None:
        addresses = self._ports.addresses
        try:
            addresses.put(item.interface, item.address, item.prefix, vip.ADDRESS_LIFE_S)
            if verify and (item.address, item.prefix) not in addresses.addresses(item.interface):
                return "the kernel took the address but does not show it"
        except OSError as error:
            return f"{error.strerror} (errno {error.errno})"
        if verify:
            self._ports.log("vip-added", vip=item.name, address=item.address, interface=item.interface)
        return None

    def _remove_address(self, item: Vip) -> None:
        try:
            self._ports.addresses.remove(item.interface, item.address, item.prefix)
            self._ports.log("vip-released", vip=item.name, address=item.address)
        except OSError as error:
            self._complain("address removal", f"{item.address}: {error.strerror} (errno {error.errno})")

    def _announce(self, item: Vip) -> None:
        try:
            self._ports.announce(item.interface, item.address)
            self._ports.log("vip-announced", vip=item.name, address=item.address)
        except OSError as error:
            self._complain("announcement", f"{item.address}: {error.strerror} (errno {error.errno})")

    def _complain(self, what: str, message: str) -> None:
        """Log trouble, once as long as it stays the same."""
        if self._trouble.get(what) != message:
            self._trouble[what] = message
            self._ports.log("warning", what=what, message=message)


def _what_it_says(beat: Heartbeat) -> tuple[bool, bool, bool, int, int | None]:
    return beat.standby, beat.ready, beat.quorate, beat.ring, beat.leader
