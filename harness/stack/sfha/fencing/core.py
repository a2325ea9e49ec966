"""When a node is fenced, and when it is not. Pure: time comes as an argument, power is switched by others.

A node is *lost* when it left the membership without saying goodbye, or when services wait for it (see the claim in
claim/core.py) and its daemon or its Corosync is not heard. A lost node is fenced by the leader after a delay that
begins anew whenever one of its conditions was not met. Before anything is switched, these are checked, in this order:
the node has a power switch, fencing is on, quorum, no other fencing under way, startup grace, minimum delay per node,
storm limit, and, when no person asked for it, that this node has not been fenced again and again without ever staying.

Every fencing counts for these limits, whichever node did it: fencing nodes tell the others (``Noted``).
The switch of a node that services wait for is looked at all the time: one that is seen to be off needs no fencing.
Where a program is told of dead nodes (``Rules.tells``), every node looks at the switch of each node that is lost to it,
and again as soon as another one says that it fenced it: proof is what one has seen oneself.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from .outlook import Outlook
from .signals import (
    OVERRIDABLE,
    REMEMBERED,
    Action,
    Cancelled,
    Fencing,
    Forgiven,
    Goodbye,
    IsOff,
    Look,
    Looked,
    Noted,
    PowerOff,
    Refusal,
    Refused,
    Rules,
    Scheduled,
    Signal,
    Switched,
    Tell,
    WaitsFor,
    Wake,
)

STORM_WINDOW_S = 300.0
STAYED_S = 300.0
"""A node that was a member for so long has come back for good."""
LOOP_LIMIT = 3
"""So many fencings of a node that never stayed are enough; then a person has to look."""
LOOK_EVERY_S = 10.0
FRESH_S = 30.0
"""An answer of the switch that is taken later after the question is of the past: this node was frozen meanwhile."""
DOUBT_AFTER_S = 10.0
"""A node that is still a member so long after its power was cut was not the machine behind the switch."""
PARDON_AGAIN_S = 1.0
"""A pardon that is told again has lost a little of its time on the way; it is still the same one."""
NOBODY: Mapping[int, float] = MappingProxyType({})
STILL_A_MEMBER = "switched off, but Corosync still hears it: is it the right machine?"


@dataclass(slots=True)
class _Peer:
    """What is remembered of one node."""

    seen: bool = False
    goodbye: bool = False
    member_since_s: float | None = None
    due_s: float | None = None
    refused: Refusal | None = None
    look_s: float | None = None
    looking: bool = False
    asked_s: float = float("-inf")
    look_again: bool = False  # what the look under way will say may be out of date
    off: bool = False
    fenced_by_other: bool = False
    joined_s: float = float("-inf")
    leaves_by_s: float | None = None
    forgiven_s: float = float("-inf")


class FencingCore:
    """Decides for one node whom it fences."""

    def __init__(
        self,
        node: int,
        peers: Iterable[int],
        rules: Rules,
        history: Iterable[Fencing],
        now_s: float,
        *,
        forgiven: Mapping[int, float] = NOBODY,
    ) -> None:
        """``history`` and when people forgave which node last (``forgiven``) are what an earlier life remembered."""
        self.node = node
        self.rules = rules
        self.grace_until_s = now_s + rules.grace_s
        self.wake_s: float | None = None
        # Times of another clock may be ahead of ours: then a limit holds for longer, never shorter.
        self.history: list[Fencing] = []
        self._now_s = now_s
        for one in history:
            self._note(one)
        self._peers = {
            peer: _Peer(forgiven_s=min(forgiven.get(peer, float("-inf")), now_s)) for peer in peers if peer != node
        }
        self._standing = Outlook(False, False, frozenset())
        self._waits_for: int | None = None

    def change_nodes(self, peers: Collection[int], rules: Rules) -> None:
        """Nodes were added or removed, or the configuration was read again."""
        self.rules = rules
        self._peers = {peer: self._peers.get(peer, _Peer()) for peer in peers if peer != self.node}

    # --- questions -----------------------------------------------------------------------------------

    def running(self) -> int | None:
        """The node that is being fenced by this one."""
        unfinished = (one.node for one in self.history if one.by == self.node and one.ok is None)
        return next(unfinished, None)

    def is_off(self, node: int) -> bool:
        """Whether the node was seen without power and not heard of since."""
        return node in self._peers and self._peers[node].off

    def due_s(self) -> Mapping[int, float]:
        """When which node will be fenced, if nothing changes."""
        return {node: peer.due_s for node, peer in self._peers.items() if peer.due_s is not None}

    def refused(self) -> Mapping[int, Refusal]:
        """Which nodes should be fenced but must not be."""
        return {node: peer.refused for node, peer in self._peers.items() if peer.refused is not None}

    def refusal(self, node: int, now_s: float, *, automatic: bool, force: bool = False) -> Refusal | None:
        """The first check that forbids to fence the node now, or None when it may be."""
        for refusal in self._failed_checks(node, now_s):
            if not (force and not automatic and refusal in OVERRIDABLE) and (automatic or refusal is not Refusal.LOOP):
                return refusal
        return None

    def _failed_checks(self, node: int, now_s: float) -> Iterable[Refusal]:
        rules = self.rules
        if node == self.node:
            yield Refusal.OWN
        if node not in rules.nodes or node not in self._peers:
            yield Refusal.NOT_CONFIGURED
        if not rules.enabled:
            yield Refusal.DISABLED
        if rules.require_quorum and not self._standing.quorate:
            yield Refusal.NO_QUORUM
        if self.running() is not None:
            yield Refusal.BUSY
        if now_s < self.grace_until_s:
            yield Refusal.STARTUP_GRACE
        if now_s < self._min_delay_until_s(node):
            yield Refusal.MIN_DELAY
        if now_s < self._storm_until_s(now_s):
            yield Refusal.STORM
        if self._loops(node):
            yield Refusal.LOOP

    def _min_delay_until_s(self, node: int) -> float:
        times = [one.at_s for one in self.history if one.node == node]
        return max(times, default=float("-inf")) + self.rules.min_delay_s

    def _storm_until_s(self, now_s: float) -> float:
        """When the number of fencings within the window is below the limit again."""
        recent = sorted(one.at_s for one in self.history if one.at_s > now_s - STORM_WINDOW_S)
        excess = len(recent) - self.rules.storm_limit
        return recent[excess] + STORM_WINDOW_S if excess >= 0 and recent else float("-inf")

    def _loops(self, node: int) -> bool:
        forgiven_s = self._peers[node].forgiven_s if node in self._peers else float("-inf")
        since = [one for one in self.history if one.node == node and one.automatic and one.at_s >= forgiven_s]
        return len(since) >= LOOP_LIMIT

    # --- what happens ----------------------------------------------------------------------------------

    def fence(self, node: int, now_s: float, *, force: bool = False) -> list[Action] | Refusal:
        """A person wants the node fenced. ``force`` overrides what OVERRIDABLE lists."""
        self._now_s = now_s
        refusal = self.refusal(node, now_s, automatic=False, force=force)
        if refusal is not None:
            return refusal
        actions = self._switch_off(node, automatic=False)
        self._plan_wake()
        return actions

    def step(self, signal: Signal, now_s: float) -> list[Action]:
        """Take one signal at ``now_s`` and say what to do."""
        self._now_s = now_s
        actions: list[Action] = []
        match signal:
            case Outlook():
                self._stand(signal)
            case Goodbye(node, taken_back) if node in self._peers:
                self._peers[node].goodbye = not taken_back
            case WaitsFor(node):
                self._wait_for(node)
            case Noted(fencing):
                self._note(fencing)
                self._believe(fencing)
            case Switched(node, error):
                actions = self._switched(node, error)
            case Looked(node, off):
                actions = self._looked(node, off)
            case Forgiven(node, at_s):
                self._forgive(node, min(at_s, now_s))
            case Goodbye() | Wake():
                pass
        actions += self._follow()
        self._plan_wake()
        return actions

    def _stand(self, standing: Outlook) -> None:
        joined = standing.members - self._standing.members
        self._standing = standing
        for node, peer in self._peers.items():
            if node in joined:
                peer.seen, peer.goodbye, peer.off, peer.fenced_by_other = True, False, False, False
                peer.member_since_s = peer.joined_s = self._now_s
                peer.look_again = peer.looking
            elif node not in standing.members:
                peer.member_since_s = None

    def _forgive(self, node: int, at_s: float) -> None:
        """The same word may come twice, and late: what was done to the node since then stands."""
        peer = self._peers.get(node)
        if peer is None or at_s <= peer.forgiven_s + PARDON_AGAIN_S:
            return
        peer.forgiven_s = at_s
        if node not in self._standing.members and at_s >= peer.joined_s:
            peer.seen = False  # it was given its power and has to boot: until it was here again it is not lost
        if not any(one.node == node and one.at_s > at_s for one in self.history):
            peer.off = False

    def _wait_for(self, node: int | None) -> None:
        self._waits_for = node
        if node in self._peers:
            # It was off before we knew that anything waits for it; it may have run since. Look again.
            self._peers[node].off, self._peers[node].look_s = False, None

    def _note(self, fencing: Fencing) -> None:
        if fencing.by == self.node and fencing.ok is None and fencing.at_s < self._now_s:
            fencing = replace(fencing, ok=False, error="interrupted")  # by the end of an earlier life of this daemon
        same = [index for index, one in enumerate(self.history) if one.is_same(fencing)]
        if same:
            self.history[same[0]] = replace(fencing, at_s=self.history[same[0]].at_s)
        else:
            self.history.append(replace(fencing, at_s=min(fencing.at_s, self._now_s)))
            del self.history[:-REMEMBERED]

    def _believe(self, fencing: Fencing) -> None:
        """Another node has done it: no need to do it again. For a claim, only our own look at the switch counts."""
        peer = self._peers.get(fencing.node)
        if peer is not None and fencing.ok and fencing.at_s >= peer.joined_s:
            peer.fenced_by_other, peer.look_s, peer.look_again = True, None, peer.looking

    def _switched(self, node: int, error: str) -> list[Action]:
        begun = [one for one in self.history if one.node == node and one.by == self.node and one.ok is None]
        actions: list[Action] = []
        for one in begun:
            ended = replace(one, ok=not error, error=error)
            self._note(ended)
            actions.append(Tell(ended))
        if not error and node in self._standing.members and node in self._peers:
            self._peers[node].leaves_by_s = self._now_s + DOUBT_AFTER_S
            return actions
        return actions if error else [*actions, *self._is_off(node)]

    def _looked(self, node: int, off: bool | None) -> list[Action]:
        peer = self._peers.get(node)
        if peer is None:
            return []
        fresh = not peer.looking or self._now_s - peer.asked_s <= FRESH_S
        peer.look_s, peer.looking = None if peer.look_again else self._now_s + LOOK_EVERY_S, False
        # Corosync hears it: then the switch is mistaken.
        return self._is_off(node) if off and fresh and node not in self._standing.members else []

    def _is_off(self, node: int) -> list[Action]:
        if node in self._peers:
            self._peers[node].off, self._peers[node].leaves_by_s = True, None
        return [IsOff(node)]

    def _doubt(self, node: int, peer: _Peer) -> list[Action]:
        """After a power-off the node has to leave the membership; only then is it believed to be off."""
        if peer.leaves_by_s is None:
            return []
        if node not in self._standing.members:
            return self._is_off(node)
        if self._now_s < peer.leaves_by_s:
            return []
        peer.leaves_by_s = None
        newest = next(one for one in reversed(self.history) if one.node == node and one.by == self.node)
        doubted = replace(newest, ok=False, error=STILL_A_MEMBER)
        self._note(doubted)
        return [Tell(doubted)]

    # --- deciding --------------------------------------------------------------------------------------

    def _lost(self, node: int, peer: _Peer) -> bool:
        absent = node not in self._standing.members
        if peer.off:
            return False
        if self._waits_for == node:
            return absent or node in self._standing.silent
        return absent and peer.seen and not peer.goodbye and not peer.fenced_by_other

    def _follow(self) -> list[Action]:
        """Look, schedule, cancel and fire, in the order of node ids."""
        actions: list[Action] = []
        for node, peer in sorted(self._peers.items()):
            self._forgive_who_stayed(peer)
            actions += self._doubt(node, peer)
            if self.running() == node or peer.leaves_by_s is not None:
                continue
            why_not = self._why_not(node, peer)
            if why_not is not None:
                if peer.due_s is not None:
                    actions.append(Cancelled(node, why_not))
                peer.due_s = peer.refused = None
            else:
                if peer.due_s is None:
                    peer.due_s = self._now_s + self.rules.delay_s
                    actions.append(Scheduled(node, peer.due_s))
                actions += self._fire(node, peer) if self._now_s >= peer.due_s else []
            actions += self._look(node, peer, why_not) if self.running() != node else []
        return actions

    def _watches(self, node: int, peer: _Peer, why_not: str | None) -> bool:
        """Whether it matters if the node has power: what services wait for needs no fencing then, programs are told."""
        if node not in self.rules.nodes or peer.off:
            return False
        # Also one that was never seen here: who has just begun does not know what was so before.
        absent = node not in self._standing.members and not peer.goodbye
        tells = self.rules.tells and self.rules.enabled and self._standing.quorate and absent
        return tells or (why_not is None and self._waits_for == node)

    def _look(self, node: int, peer: _Peer, why_not: str | None) -> list[Action]:
        if not self._watches(node, peer, why_not):
            peer.look_s = None
            return []
        if peer.looking or (peer.look_s is not None and self._now_s < peer.look_s):
            return []
        peer.looking, peer.asked_s, peer.look_again = True, self._now_s, False
        return [Look(node)]

    def _why_not(self, node: int, peer: _Peer) -> str | None:
        if not self._lost(node, peer):
            return "it is off" if peer.off else "it is back"
        if not self.rules.enabled:
            return "fencing is off"
        if not self._standing.quorate:
            return "quorum lost"
        return None if self._standing.leads else "not leader"

    def _forgive_who_stayed(self, peer: _Peer) -> None:
        if peer.member_since_s is not None and self._now_s - peer.member_since_s >= STAYED_S:
            peer.forgiven_s = max(peer.forgiven_s, peer.member_since_s)

    def _fire(self, node: int, peer: _Peer) -> list[Action]:
        """The time has come: everything is checked again."""
        refusal = self.refusal(node, self._now_s, automatic=True)
        if refusal is None:
            peer.refused = None
            return self._switch_off(node, automatic=True)
        known, peer.refused = peer.refused, refusal
        return [] if known is refusal else [Refused(node, refusal, self._again_s(node, refusal))]

    def _again_s(self, node: int, refusal: Refusal) -> float | None:
        match refusal:
            case Refusal.STARTUP_GRACE:
                return self.grace_until_s
            case Refusal.MIN_DELAY:
                return self._min_delay_until_s(node)
            case Refusal.STORM:
                return self._storm_until_s(self._now_s)
        return None

    def _switch_off(self, node: int, *, automatic: bool) -> list[Action]:
        fencing = Fencing(node, self.node, self._now_s, automatic)
        self._peers[node].due_s = None
        self._note(fencing)
        return [Tell(fencing), PowerOff(node)]

    def _plan_wake(self) -> None:
        times: list[float] = []
        for node, peer in self._peers.items():
            times += [peer.leaves_by_s] if peer.leaves_by_s is not None else []
            looks = peer.leaves_by_s is None and self.running() != node
            if looks and peer.look_s is not None and not peer.looking:
                times.append(peer.look_s)
            if peer.due_s is None:
                continue
            if self._now_s < peer.due_s:
                times.append(peer.due_s)
            elif peer.refused is not None and (again_s := self._again_s(node, peer.refused)) is not None:
                times.append(again_s)
        self.wake_s = min(times, default=None)
