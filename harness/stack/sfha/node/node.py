"""The node: where the cores meet. It feeds them what happened and does what they decide, in order.

Nothing here waits. The daemon calls ``membership_reported``, ``datagram``, ``set_standby``,
``wake`` and ``stop``; after each of them ``wake_s`` says when to call ``wake``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...kit.messages import message
from ..claim.permission import Permission
from ..config.load import Config, Mesh, ReloadRefused
from ..datagrams.core import encoding
from ..election.core import Duty, Heartbeat, Self, View
from ..fencing.outlook import Outlook
from ..lease import core as lease
from ..membership.core import MembershipCore, Report
from ..vips import core as vip
from ..vips.leased_addresses import AddressTaken, LeasedAddresses, NoSuchInterface
from ..vips.orders import Answer
from .candidates import Candidates
from .cores import election_core, lease_core
from .hearing import Hearing
from .heartbeats import Heartbeats
from .ports import Ports
from .running import Running
from .status import Status
from .term import Term

if TYPE_CHECKING:
    from ..claim.arbiter import Arbiter
    from ..claim.arbiter_messages import ArbiterMessage
    from ..services.core import Signal
    from ..services.idle import IdleWorkload
    from ..services.workload import Workload


class Node:
    """One sfha daemon without its operating system."""

    def __init__(self, config: Config, mesh: Mesh, ports: Ports, incarnation: int) -> None:
        now_s, unsafe = ports.clock(), config.unsafe
        self._config, self._mesh, self._ports = config, mesh, ports
        self.name = config.node
        self._names = {node.node_id: node.name for node in mesh.nodes()}
        self._incarnation, self._node_id = incarnation, mesh.own.node_id
        votes = {node.node_id: node.votes for node in mesh.nodes()}
        self._membership = MembershipCore()
        self._election = election_core(config, self._node_id)
        self._lease = lease_core(config, self._node_id, votes, incarnation, now_s)
        self._leased = LeasedAddresses(
            ports, config.vips, self._lease, announce=unsafe.announce, send=self._send, followed=self._follow_lease
        )
        self._leadership = lease.Leadership(None, False, frozenset())
        self._standby = self._stopping = self._leaving = False
        self._reluctant: frozenset[str] = frozenset()
        self._term = Term()
        self._permission = Permission(
            self._node_id, self._names, votes=votes, config=config, ports=ports, send=self._send
        )
        self._running = Running(config.resources, ports, self._leased, self._term, self._permission)
        self.revision = 0
        """Which shared configuration this node has."""
        self._heartbeats = Heartbeats(self._send, config.profile.heartbeat_s, now_s)
        self.hearing = Hearing(ports, self._election, self._leased, self._permission)
        self.epoch = 0
        self._look_s = now_s

    @property
    def wake_s(self) -> float:
        """When ``wake`` wants to be called at the latest (seconds of the clock)."""
        wake_s, lease_s, addresses_s = self._look_s, self._lease.wake_s, self._leased.addresses.wake_s
        if lease_s is not None and lease_s < wake_s:
            wake_s = lease_s
        return wake_s if addresses_s is None or addresses_s > wake_s else addresses_s

    def _next_look_s(self, now_s: float) -> float:
        """When to look at everything: renewing lease and addresses can only make that later."""
        term_s = self._term.wake_s(busy=self.workload.busy, held=self.holds_lease, now_s=now_s)
        times = [self._heartbeats.due_s, self.workload.wake_s, term_s]
        times += [self._election.wake_s(self._leadership.leader, now_s), self._election.preference.wake_s(now_s)]
        if not self._lease.ready(now_s):
            times.append(self._lease.silent_until_s)
        times.append(self._leased.wake_s)
        if self.arbiter is not None:
            times.append(self.arbiter.wake_s)
        return min(time_s for time_s in times if time_s is not None)

    # --- what the daemon reports ---

    def start(self) -> None:
        """Close the gate and take away what an earlier life may have left."""
        if not self._needs_lease():
            return
        self._leased.install()
        for key in self._config.broken():
            self._ports.log("warning", message=f"{key} is false: a guarantee of this stack is BROKEN on purpose")

    def membership_reported(self, report: Report) -> None:
        """Corosync reported, or was lost (then the report is DISCONNECTED)."""
        change = self._membership.take(report)
        if change is None:
            return
        members = sorted(report.members)
        self._ports.log("membership-changed", quorate=report.quorate, members=members, ring=report.ring)
        self._election.view_changed(View(report.quorate, report.members))
        if change.joined:
            self._leased.address_step(vip.ContactRegained())
        self._decide()

    def datagram(self, sender: int, datagram: bytes) -> None:
        """A datagram of a known peer arrived."""
        changed = self.hearing.take(sender, datagram, epoch=self.epoch, revision=self.revision)
        if changed or self._heartbeats.is_ready(self._ports.clock()):
            self._decide()

    def wake(self) -> None:
        """The time of ``wake_s`` has come (or any other: it does no harm)."""
        held, now_s = self.holds_lease, self._ports.clock()
        self._leased.lease_step(lease.Wake())
        addresses_s = self._leased.addresses.wake_s
        if addresses_s is not None and now_s >= addresses_s:
            self._leased.address_step(vip.Wake())
        if held == self.holds_lease and now_s < self._look_s and not self._heartbeats.is_ready(now_s):
            self._term.goes_on(now_s)
            return  # most of all times: nothing but these two is due
        self.workload.wake(self._ports.clock())
        self._follow_lease()
        if self.arbiter is not None:
            self.arbiter.wake()
        self._decide()

    def links_changed(self) -> None:
        """Interfaces, or the node's own addresses, are not what they were."""
        self._leased.links_changed()
        self._decide()

    def address_answered(self, answer: Answer) -> None:
        """An order for an address was carried out, or will not be."""
        if self._leased.answered(answer):
            self._follow_lease()
            self._decide()

    @property
    def letting_go(self) -> bool:
        """Whether an address is still being taken away."""
        return self._leased.letting_go

    def set_standby(self, standby: bool) -> None:
        """Go into or out of standby; out of it also says that this node is well again."""
        if not standby:
            self.workload.forgive()
            self._leased.offer.forgive()
        if standby != self._standby:
            self._standby = standby
            self._ports.log("standby", standby=standby)
        self._decide()

    def reluctant_for(self, reason: str, holds: bool) -> None:
        """There is this reason not to lead where another node can, or there is none such (any more)."""
        if holds != (reason in self._reluctant):
            self._reluctant ^= {reason}
            self._ports.log("reluctant" if holds else "willing", why=str(message(f"reluctant.{reason}")))
            self._decide()

    def wish(self, target: int | None, for_s: float) -> None:
        """From now on, and for some time, ``target`` should lead where it can; None takes an earlier wish back."""
        self._election.preference.wish(target, for_s, self._ports.clock())
        self._ports.log("leader-wished", target=target, target_name=self._names.get(target or 0), for_s=for_s)
        if target == self._node_id:
            self.workload.forgive()
        self._decide()

    def service_reported(self, signal: "Signal") -> None:
        """Something has come of a start or a stop of a service, or it ended by itself."""
        self.workload.service(signal, self._ports.clock())
        self._decide()

    def probed(self, name: str, round_: int, error: str | None) -> None:
        """A look at the health of something has ended, with ``error`` or well."""
        self.workload.probed(name, round_, error, self._ports.clock())
        self._decide()

    def _follow_arbiter(self, now_s: float) -> None:
        """Tell it where this node stands; ask whether it is certain that no other runs what must never run twice."""
        if self.arbiter is None:
            return
        report = self._membership.report
        standing = Outlook(
            leads=self._leadership.leader == self._node_id,
            quorate=report.quorate,
            members=report.members,
            silent=report.members - self._election.alive(now_s) - {self._node_id},
        )
        if self._running.ask(standing):
            self._follow_lease()
            self._follow_arbiter(now_s)  # what had to stop may have stopped at once

    def arbiter_reported(self) -> None:
        """The port of the arbiter has told it something."""
        self._decide()

    @property
    def arbiter(self) -> "Arbiter | None":
        """None where fencing is off."""
        return self._permission.arbiter

    @property
    def holds_lease(self) -> bool:
        """Whether this node may run services, and answers for the addresses."""
        return self._leased.held

    @property
    def workload(self) -> "IdleWorkload | Workload":
        """What runs here besides addresses."""
        return self._running.workload

    @property
    def candidates(self) -> Candidates:
        """Who leads, who could, and who has which configuration."""
        return Candidates(self._node_id, self._names, self._election, self._membership.report, self._leadership.leader)

    def reconfigure(self, config: Config) -> None:
        """Take up what is different in a configuration; addresses and services that stay notice nothing.

        Raises ReloadRefused; then nothing has changed.
        """
        key = config.differs_for_good(self._config)
        if key is not None:
            raise ReloadRefused(message("reload.needs-restart", key=key))
        try:
            leads = self._leadership.leader == self._node_id
            self._leased.reconfigure({item.name: item for item in config.vips}, leads=leads)
        except (self._ports.gate_error, AddressTaken, NoSuchInterface) as error:
            raise ReloadRefused(str(error)) from error
        self._config = config
        self._permission.configure(self._names, config)
        self._running.configure(config.resources, self._ports)
        self._ports.log("config-reloaded", vips=[item.name for item in config.vips], revision=self.revision)
        self._leased.lease_step(self._leadership)
        self._follow_lease()
        self._decide()

    def refuse_foreign(self, config: Config) -> None:
        """Raises ReloadRefused where a VIP is an address that this node has been given by something else."""
        try:
            self._leased.refuse_foreign(config.vips)
        except AddressTaken as error:
            raise ReloadRefused(str(error)) from error

    def voting_changed(self, view: lease.View, groups: Sequence[Mapping[int, int]], floor: lease.View) -> None:
        """Leases are voted on differently from now on (see roster/core.py)."""
        self._lease.voters_changed(view, groups, floor, self._ports.clock())
        self._permission.voters_changed(groups)

    def roster_changed(self, names: Mapping[int, str]) -> None:
        """The cluster has these nodes from now on."""
        self._names = dict(names)
        self._election.forget(frozenset(names))
        self._permission.configure(names, self._config)
        self._decide()

    def leave(self) -> bool:
        """Hand everything over in good order, as for a stop; True when there is nothing left to hand over."""
        self._leaving = True
        self._decide()
        return not self.holds_lease and not self.workload.busy

    def stop(self) -> None:
        """Release everything at once and tell the others; nothing is taken up again."""
        self._stopping = True
        self._leased.give_up("stopping")
        self._decide()

    def heard_s_ago(self, peer: int) -> float | None:
        """How long ago anything of the peer came through the tunnel, in seconds; None when nothing ever did."""
        return self.hearing.s_ago(peer)

    def status(self) -> Status:
        """A snapshot; asking changes nothing."""
        now_s = self._ports.clock()
        report, candidates = self._membership.report, self.candidates
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
            leader=candidates.leader,
            leader_name=candidates.leader_name,
            active=self._leased.addresses.active,
            lease=self._lease.phase.value,
            promised_to=self._lease.promised_to,
            gate_egress=self._ports.gate.egress,
            broken_on_purpose=self._config.broken(),
            vips=self._leased.status(),
            services=self.workload.service_status(),
            health=self.workload.health_status(),
            handing_over=self._term.ending,
            ailing=self.workload.ailing(now_s),
            preferred=self._election.preference.target(now_s),
            preferred_for_s=round(self._election.preference.left_s(now_s), 1),
            revision=self.revision,
            stonith=self.arbiter.status() if self.arbiter is not None else None,
            peers=candidates.peer_statuses(now_s),
            nodes=candidates.node_statuses(now_s),
        )

    def _send(self, to: int | None, said: "encoding.Message | ArbiterMessage") -> None:
        self._ports.messenger.send(to, encoding.encode(said))

    # --- deciding ---

    def _ready(self, now_s: float) -> bool:
        return self._lease.ready(now_s) and not self._stopping and not self._leaving

    def _needs_lease(self) -> bool:
        return bool(self._leased.vips or self._config.resources.services)

    def _hands_over(self, own: Self, now_s: float) -> bool:
        """Whether to go on leading, though another node should, until the services here are stopped."""
        self._election.self_changed(own)
        successor = self._election.successor(now_s)
        in_order = self.holds_lease and self._membership.report.quorate and self.workload.busy
        wanted = in_order and successor != self._node_id and not self._stopping
        if self._term.hand_over(wanted, self.workload.patience_s, now_s):
            self._ports.log("handing-over", to=self._names.get(successor or 0))
            self._follow_lease()
        return self._term.draining(now_s) and self.workload.busy

    def _follow_lease(self) -> None:
        """Services run where the lease is held and every address is up, or is known not to come up."""
        self._look_s = self._ports.clock()  # what is offered may be another thing now, and services have their times
        leads = self._leadership.leader == self._node_id and self._leadership.quorate
        self._running.follow(leads=leads, stopping=self._stopping, now_s=self._ports.clock())

    def _decide(self) -> None:
        """Elect anew; tell the lease where it stands, and the others what changed."""
        now_s = self._ports.clock()
        self._leased.look()
        own = Self(
            self._standby,
            self._ready(now_s),
            ailing=self.workload.ailing(now_s),
            lacks=self._leased.lacks,
            reluctant=tuple(sorted(self._reluctant)),
            holds=self.holds_lease,
        )
        ending, draining = self._term.ending, self._hands_over(own, now_s)
        self._election.self_changed(replace(own, draining=draining))
        # A heartbeat may have come between the last request and the end; who no longer asks is heard by those alone.
        self._election.promised(self._lease.asks_for_this_vote(now_s - self._config.profile.heartbeat_s), now_s)
        report = self._membership.report
        leader = self._election.leader(now_s)
        standing = lease.Leadership(leader, report.quorate, report.members)
        if standing != self._leadership:
            before, self._leadership = self._leadership, standing
            if leader != before.leader:
                name = self.candidates.leader_name
                self._ports.log("leader-elected", leader=leader, leader_name=name, quorate=report.quorate)
            if self._needs_lease():
                self._leased.lease_step(standing)
                self._follow_lease()
        if ending and not self._term.ending:  # who leads is known: what may run may do so again
            self._follow_lease()
        self._follow_arbiter(now_s)
        self._heartbeats.say(self._own_beat(now_s), now_s)
        self._look_s = self._next_look_s(now_s)

    def _own_beat(self, now_s: float) -> Heartbeat:
        report, wish = self._membership.report, self._election.preference.newest(now_s)
        own = self._election.own
        duty = Duty(self._term.draining(now_s), own.ailing, self.revision, wish, own.lacks, own.reluctant)
        return Heartbeat(
            self._incarnation,
            sequence=self._heartbeats.next,
            standby=self._standby,
            ready=self._ready(now_s),
            quorate=report.quorate,
            ring=report.ring,
            leader=self._leadership.leader,
            epoch=self.epoch,
            duty=duty,
        )
