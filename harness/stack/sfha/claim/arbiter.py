"""The arbiter: what must never run twice does not. Here the cores of claim and fencing meet.

It is fed by the node, tells it whether exclusive services may run, and has its own messages and its own port.
"""

from collections.abc import Callable, Mapping, Sequence

from ...kit.messages import Message, message
from ...kit.ports import Clock, Log
from ..fencing import core as fencing
from ..fencing import signals
from ..fencing.messages import Note, Pardon
from ..fencing.outlook import Outlook
from ..fencing.settings import Stonith
from ..notices import core as notices
from ..notices.status import NoticeStatus
from . import core as exclusive
from .arbiter_messages import ArbiterMessage
from .ports import PowerPort
from .status import FencedStatus, FencingStatus

RETOLD = 10
"""So many of the newest fencings are told to a node that joins."""


class Arbiter:
    """One node's part in fencing. Nothing here waits."""

    def __init__(
        self,
        node: int,
        names: Mapping[int, str],
        *,
        votes: Mapping[int, int],
        stonith: Stonith,
        power: PowerPort,
        clock: Clock,
        log: Log,
        send: Callable[[int | None, ArbiterMessage], None],
    ) -> None:
        self._node, self._names, self._stonith, self._power = node, dict(names), stonith, power
        self._clock, self._log, self._send = clock, log, send
        self._claim = exclusive.ClaimCore(node, votes, power.claim())
        rules = _rules(stonith, names)
        self._pardons = dict(power.pardons())
        """When people forgave which node last: told again to who joins, since a datagram may be lost."""
        self._fencing = fencing.FencingCore(node, names, rules, power.history(), clock(), forgiven=self._pardons)
        self._outlook = Outlook(False, False, frozenset())
        self._notices = notices.NoticesCore()
        self._goodbye: set[int] = set()
        self._power_seen: dict[str, tuple[bool | None, str]] = {}
        """What was logged of whom: a node that is away for days is looked at all the time."""
        self._wants = self._stopped = False

    # --- what the node asks ---

    @property
    def permitted(self) -> bool:
        """Whether exclusive services may run here."""
        return self._claim.permitted

    @property
    def wake_s(self) -> float | None:
        """When ``wake`` wants to be called."""
        times = (self._claim.wake_s, self._fencing.wake_s, self._notices.wake_s)
        return min((time_s for time_s in times if time_s is not None), default=None)

    def status(self) -> FencingStatus:
        """A snapshot for `sfha status` and `sfha stonith status`."""
        now_s = self._clock()
        due_s, refused = self._fencing.due_s(), self._fencing.refused()
        waits_for, running = self._claim.waits_for, self._fencing.running()
        return FencingStatus(
            enabled=self._stonith.enabled,
            provider=self._stonith.provider,
            permitted=self.permitted,
            waits_for=self._names.get(waits_for) if waits_for is not None else None,
            running=self._names.get(running) if running is not None else None,
            grace_left_s=round(max(0.0, self._fencing.grace_until_s - now_s), 1),
            nodes=tuple(
                FencedStatus(
                    name=name,
                    configured=node in self._fencing.rules.nodes,
                    off=self._fencing.is_off(node),
                    due_in_s=round(max(0.0, due_s[node] - now_s), 1) if node in due_s else None,
                    refused=refused[node].value if node in refused else None,
                    told=self._told(name),
                )
                for node, name in sorted(self._names.items())
            ),
            notify=None if self._stonith.notify is None else self._stonith.notify.program,
        )

    # --- what the node reports ---

    def stand(self, standing: Outlook, *, wants: bool, stopped: bool) -> None:
        """Where this node stands, whether it is to run exclusive services, and whether certainly none runs here."""
        if standing != self._outlook:
            joined = standing.members - self._outlook.members
            self._outlook = standing
            self._goodbye -= joined
            self._fence_step(standing)
            if joined:
                self._tell_again()
        if wants != self._wants:
            self._wants = wants
            self._claim_step(exclusive.Wanted(wants))
        if stopped and not self.permitted and not self._stopped:
            self._stopped = True
            self._claim_step(exclusive.Stopped())
        self._stopped = stopped and not self.permitted

    def heard(self, peer: int, *, ready: bool, was_ready: bool) -> None:
        """A heartbeat: a daemon that was ready and is not any more says goodbye."""
        if was_ready and not ready:
            self._goodbye.add(peer)
            self._fence_step(signals.Goodbye(peer))
        elif ready and peer in self._goodbye:
            self._goodbye.discard(peer)
            self._fence_step(signals.Goodbye(peer, taken_back=True))

    def received(self, sender: int, received: ArbiterMessage) -> None:
        """A message of another arbiter."""
        if isinstance(received, Pardon):
            at_s = self._clock() - received.age_s
            known_s = self._pardons.get(received.node, float("-inf"))
            if at_s > known_s + fencing.PARDON_AGAIN_S:
                self._pardon(received.node, at_s)
                self._log("node-forgiven", target=self._names.get(received.node, "?"), by=self._names.get(sender, "?"))
            self._fence_step(signals.Forgiven(received.node, at_s))
            return
        if not isinstance(received, Note):
            self._claim_step(exclusive.Received(sender, received))
            return
        at_s = self._clock() - received.age_s
        told = signals.Fencing(received.node, received.by, at_s, received.automatic, received.ok, received.error)
        before = list(self._fencing.history)
        self._fence_step(signals.Noted(told))
        if before != self._fencing.history:
            self._power.save_history(self._fencing.history)

    def wake(self) -> None:
        """The time of ``wake_s`` has come."""
        now_s = self._clock()
        if self._claim.wake_s is not None and now_s >= self._claim.wake_s:
            self._claim_step(exclusive.Wake())
        if self._fencing.wake_s is not None and now_s >= self._fencing.wake_s:
            self._fence_step(signals.Wake())
        if self._notices.wake_s is not None and now_s >= self._notices.wake_s:
            self._notices_step(notices.Wake())

    def voters_changed(self, groups: Sequence[Mapping[int, int]]) -> None:
        """Claims are voted on by other nodes from now on."""
        self._claim.voters_changed(groups)

    def configure(self, names: Mapping[int, str], stonith: Stonith) -> None:
        """The cluster has these nodes, and the section ``stonith`` says this, from now on."""
        self._names, self._stonith = dict(names), stonith
        self._power.configure(stonith)
        if stonith.notify is None:
            self._notices = notices.NoticesCore()
        self._fencing.change_nodes(set(names), _rules(stonith, names))
        self._pardons = {node: at_s for node, at_s in self._pardons.items() if node in names}
        self._follow_notices()

    # --- what the port reports ---

    def claim_saved(self, ok: bool) -> None:
        """The claim is on the disk, or the disk refused."""
        self._claim_step(exclusive.Saved(ok))

    def switched(self, name: str, error: str) -> None:
        """A power-off has ended, with ``error`` or for certain."""
        node = self._id(name)
        if node is not None:
            self._log("fencing-ended", target=name, ok=not error, error=error)
            self._fence_step(signals.Switched(node, error))

    def looked(self, name: str, off: bool | None, error: str) -> None:
        """The switch said whether a node has power, or why it could not tell."""
        node = self._id(name)
        if node is not None:
            if self._power_seen.get(name) != (off, error):
                self._power_seen[name] = (off, error)
                self._log("power-seen", target=name, off=off, error=error)
            self._fence_step(signals.Looked(node, off))

    def told(self, name: str, error: str, said: str) -> None:
        """The program was told of a node, and said something, or did not do it (``error``)."""
        if (one := self._notices.notices.get(name)) is not None:
            how = {"error": error} if error else {"said": said}
            self._log("notice-failed" if error else "notice-given", target=name, word=one.word.value, **how)
            self._notices_step(notices.Ended(name, error))

    # --- what a person asks ---

    def fence(self, name: str, *, force: bool) -> Message | None:
        """Fence a node now; None when it has begun, else why not."""
        node = self._id(name)
        if node is None:
            return message("stonith.unknown", node=name, known=", ".join(sorted(self._names.values())))
        outcome = self._fencing.fence(node, self._clock(), force=force)
        if isinstance(outcome, signals.Refusal):
            return message(f"stonith.refused.{outcome.value}", node=name)
        self._log("fencing-asked-for", target=name, force=force)
        self._do_fencing(outcome)
        return None

    def certify(self, name: str) -> Message | None:
        """A person certifies that a node has no power; None when that is believed, else why not."""
        node = self._id(name)
        if node is None:
            return message("stonith.unknown", node=name, known=", ".join(sorted(self._names.values())))
        if node in self._outlook.members:
            return message("stonith.still-member", node=name)
        self._log("power-certified", target=name)
        self._fence_step(signals.Looked(node, off=True))
        return None

    def forgive(self, name: str) -> Message | None:
        """A person gave a node its power again: earlier fencings of it are no loop, for no node of the cluster."""
        node = self._id(name)
        if node is None:
            return message("stonith.unknown", node=name, known=", ".join(sorted(self._names.values())))
        self._pardon(node, self._clock())
        self._fence_step(signals.Forgiven(node, self._clock()))
        self._send(None, Pardon(node, 0.0))
        return None

    def _pardon(self, node: int, at_s: float) -> None:
        self._pardons[node] = at_s
        self._power.save_pardons(self._pardons)

    def history(self) -> list[dict[str, object]]:
        """The last fencings, oldest first, with their age in seconds."""
        now_s = self._clock()
        return [
            {
                "node": self._names.get(one.node, str(one.node)),
                "by": self._names.get(one.by, str(one.by)),
                "age_s": round(now_s - one.at_s, 1),
                "automatic": one.automatic,
                "ok": one.ok,
                "error": one.error,
            }
            for one in self._fencing.history
        ]

    def _id(self, name: str) -> int | None:
        return next((node for node, known in self._names.items() if known == name), None)

    # --- doing ---

    def _claim_step(self, signal: exclusive.Signal) -> None:
        for action in self._claim.step(signal, self._clock()):
            match action:
                case exclusive.Save(stored):
                    self._power.save_claim(stored)
                case exclusive.Send(to, sent):
                    self._send(to, sent)
                case exclusive.Permitted():
                    self._log("exclusive-permitted", ballot=self._claim.stored.claim.ballot.round)
                case exclusive.Withdrawn():
                    self._log("exclusive-withdrawn")
                case exclusive.WaitsFor(node):
                    self._log("exclusive-waits", waits_for=self._names.get(node) if node is not None else None)
                    self._fence_step(signals.WaitsFor(node))

    def _fence_step(self, signal: signals.Signal) -> None:
        self._do_fencing(self._fencing.step(signal, self._clock()))
        self._follow_notices()

    def _follow_notices(self) -> None:
        others = {node: name for node, name in self._names.items() if node != self._node}
        members = frozenset(name for node, name in others.items() if node in self._outlook.members)
        off = frozenset(name for node, name in others.items() if self._fencing.is_off(node))
        self._notices_step(notices.Seen(frozenset(others.values()), members, off))

    def _notices_step(self, signal: notices.Signal) -> None:
        if self._stonith.notify is None:
            return
        for call in self._notices.step(signal, self._clock()):
            self._log("notice-begun", target=call.node, word=call.word.value)
            self._power.tell(call.node, call.word.value)

    def _told(self, name: str) -> NoticeStatus | None:
        one = self._notices.notices.get(name)
        return None if one is None else NoticeStatus(one.word.value, one.running, one.done, one.tries, one.error)

    def _do_fencing(self, actions: Sequence[signals.Action]) -> None:
        for action in actions:
            target = self._names.get(action.fencing.node if isinstance(action, signals.Tell) else action.node, "?")
            match action:
                case signals.PowerOff():
                    self._log("fencing-begun", target=target)
                    self._power.power_off(target)
                case signals.Look():
                    self._power.look(target)
                case signals.Tell(one):
                    self._power.save_history(self._fencing.history)
                    self._tell(one)
                case signals.IsOff(node):
                    self._log("node-is-off", target=target)
                    self._claim_step(exclusive.Fenced(node))
                case signals.Scheduled(_, at_s):
                    self._log("fencing-scheduled", target=target, in_s=round(at_s - self._clock(), 3))
                case signals.Cancelled(_, why):
                    self._log("fencing-cancelled", target=target, why=why)
                case signals.Refused(_, why, again_s):
                    in_s = None if again_s is None else round(again_s - self._clock(), 3)
                    self._log("fencing-refused", target=target, why=why.value, again_in_s=in_s)

    def _tell(self, one: signals.Fencing) -> None:
        age_s = max(0.0, self._clock() - one.at_s)
        self._send(None, Note(one.node, one.by, age_s, one.automatic, one.ok, one.error))

    def _tell_again(self) -> None:
        """A node that joined may have missed what happened; it counts for its limits, too."""
        for one in self._fencing.history[-RETOLD:]:
            self._tell(one)
        for node, at_s in self._pardons.items():
            self._send(None, Pardon(node, max(0.0, self._clock() - at_s)))


def _rules(stonith: Stonith, names: Mapping[int, str]) -> signals.Rules:
    safety = stonith.safety
    return signals.Rules(
        enabled=stonith.enabled,
        nodes=frozenset(node for node, name in names.items() if name in stonith.nodes),
        require_quorum=safety.require_quorum,
        min_delay_s=safety.min_delay_s,
        storm_limit=safety.max_per_5min,
        grace_s=safety.grace_s,
        delay_s=safety.delay_s,
        tells=stonith.notify is not None,
    )
