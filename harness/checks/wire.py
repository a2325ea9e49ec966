"""Checks of who spoke on the wire: not two MACs for one address at a time, only holders, and no client left behind."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from harness.checks.declared import Seconds, check
from harness.checks.holding import HeldBy, Holding, holdings
from harness.checks.outage import Outage, outages
from harness.checks.reach import Reach, reach_over_time
from harness.checks.story import OBSERVED_LATE_S, Clock, Stalls, certain_until_s, clock_of, duration, end_s, stalls_of
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.events import Announced, ArpAnswered, ConnectTried, TcpAnswered
from harness.history import History

_SEEN_WITHIN_S = 0.01
"""So late at most, the observer being awake, is the begin or the end of a holding in a history."""
Answer = ArpAnswered | TcpAnswered
Spoken = Announced | ArpAnswered | TcpAnswered


@dataclass(slots=True)
class _Contest:
    """Two MACs that both answered: alternating, from the first of it to the last."""

    macs: frozenset[str]
    names: tuple[str, str]
    from_s: float
    until_s: float
    answers: int
    proof: tuple[Answer, ...]


def _answers(history: History, address: str) -> list[Answer]:
    found = history.of(ArpAnswered, TcpAnswered)
    return [one for one in found if isinstance(one, ArpAnswered | TcpAnswered) and one.address == address]


def _name(answer: Answer) -> str:
    return f"{answer.node} ({answer.mac})" if answer.node else answer.mac


@check
def one_answerer(history: History, address: str, tolerance_s: Seconds = 0.005) -> Verdict:
    """On the wire, never two nodes answer for the address at a time.

    Once another MAC has answered, the former one may answer again only after its node has taken
    the address anew. An answer up to ``tolerance_s`` after the other's first one may have been on its way.
    """
    name = "one_answerer"
    last_s = min(end_s(history), certain_until_s(history, OBSERVED_LATE_S))
    answers = [answer for answer in _answers(history, address) if answer.t_s <= last_s]
    if not answers:
        return unknown(name, f"nobody was seen on the wire to answer for {address}")
    held = holdings(history, address)
    contests, hand_overs = _contests(answers, held, stalls_of(history), tolerance_s)
    if not contests:
        macs = len({answer.mac for answer in answers})
        return holds(
            name, f"{len(answers)} answers for {address} by {macs} nodes, one at a time ({hand_overs} hand-overs)"
        )
    clock = clock_of(history)
    until_s = max(contest.until_s for contest in contests)
    evidence = [_contested(contest, address, clock) for contest in contests]
    if not held and max(contest.answers for contest in contests) < 3:
        return unknown(
            name, "a MAC answered again after another one, and nobody watched who held the address", evidence
        )
    names = " and ".join(contests[0].names)
    return violated(name, f"{names} both answered for {address}, until {clock.at(until_s)}", evidence)


def _contested(contest: _Contest, address: str, clock: Clock) -> Finding:
    first, second = contest.names
    return Finding(
        text=f"{first} and {second} both answered for {address} from {clock.at(contest.from_s)} until "
        f"{clock.at(contest.until_s)} ({duration(contest.until_s - contest.from_s)}): {contest.answers} times "
        "one of them answered after the other without having taken the address anew",
        from_s=contest.from_s,
        until_s=contest.until_s,
        nodes=tuple(sorted({answer.node for answer in contest.proof if answer.node})),
        client=contest.proof[0].client,
        events=contest.proof,
    )


def _contests(
    answers: list[Answer], held: tuple[Holding, ...], stalls: Stalls, tolerance_s: float
) -> tuple[list[_Contest], int]:
    """Walk through the answers: who answers now, since when, and who answers out of turn."""
    last: dict[str, Answer] = {}
    owner, since_s, hand_overs = answers[0], answers[0].t_s, 0
    found: list[_Contest] = []
    for answer in answers:
        if answer.mac != owner.mac:
            before = last.get(answer.mac)
            if before is None or _took_anew(answer, before.t_s, held, stalls, tolerance_s):
                hand_overs += 1
            elif answer.t_s - since_s <= tolerance_s:
                continue
            else:
                _note_contest(found, last[owner.mac], answer)
            since_s = answer.t_s
        owner = answer
        last[answer.mac] = answer
    return found, hand_overs


def _took_anew(answer: Answer, after_s: float, held: tuple[Holding, ...], stalls: Stalls, tolerance_s: float) -> bool:
    until_s = answer.t_s + tolerance_s + stalls.lateness_s(answer.t_s)
    return any(holding.node == answer.node and after_s < holding.start_s <= until_s for holding in held)


def _note_contest(found: list[_Contest], other: Answer, answer: Answer) -> None:
    macs = frozenset((other.mac, answer.mac))
    if found and found[-1].macs == macs and other.t_s - found[-1].until_s < 1.0:
        found[-1].until_s = answer.t_s
        found[-1].answers += 1
        return
    found.append(_Contest(macs, (_name(other), _name(answer)), other.t_s, answer.t_s, 1, (other, answer)))


@check
def only_the_holder_speaks(history: History, address: str, tolerance_s: Seconds = 0.05) -> Verdict:
    """On the wire, no node announces the address or answers for it while it does not hold it.

    Stricter than :func:`one_answerer` in what counts, and laxer in time: a stale announcement (RFC 5227, section 3)
    turns the clients' ARP caches to a node that is silent, even when nobody asks it. What comes within ``tolerance_s``
    of a holding may have been on its way, or before our eyes were; not so what comes while another node surely holds.
    """
    name = "only_the_holder_speaks"
    last_s = min(end_s(history), certain_until_s(history, OBSERVED_LATE_S))
    spoken = [one for one in _spoken(history, address) if one.node and one.t_s <= last_s]
    if not spoken:
        return unknown(name, f"no node was seen on the wire to speak for {address}")
    held = holdings(history, address)
    if not held:
        return unknown(name, f"nobody watched who held {address}")
    held_by, stalls, clock = HeldBy(held), stalls_of(history), clock_of(history)
    stale = [one for one in spoken if not _is_holders(one, held_by, stalls, tolerance_s)]
    if not stale:
        return holds(name, f"{len(spoken)} frames named {address} as their sender, all of them from its holder")
    evidence = [_stale(node, [one for one in stale if one.node == node], clock) for node in _nodes_of(stale)]
    return violated(
        name, f"{', '.join(_nodes_of(stale))} spoke for {address} without holding it, {len(stale)} times", evidence
    )


def _spoken(history: History, address: str) -> list[Spoken]:
    found = history.of(Announced, ArpAnswered, TcpAnswered)
    return [one for one in found if isinstance(one, Announced | ArpAnswered | TcpAnswered) and one.address == address]


def _is_holders(one: Spoken, held: HeldBy, stalls: Stalls, tolerance_s: float) -> bool:
    if not one.node:
        return False
    late_s = stalls.lateness_s(one.t_s)  # a holding that begins or ends is seen late, a frame never
    anothers = held.another_holds(one.node, one.t_s, sure_s=_SEEN_WITHIN_S + late_s)
    early_s = 0.0 if anothers else tolerance_s + late_s
    return held.holds(one.node, one.t_s, early_s=early_s, late_s=tolerance_s)


def _nodes_of(spoken: list[Spoken]) -> list[str]:
    return sorted({one.node for one in spoken if one.node})


def _stale(node: str, frames: list[Spoken], clock: Clock) -> Finding:
    first, last = frames[0], frames[-1]
    return Finding(
        text=f"{node} ({first.mac}) spoke for it {len(frames)} times, from {clock.at(first.t_s)} until "
        f"{clock.at(last.t_s)}, without holding it",
        from_s=first.t_s,
        until_s=last.t_s,
        nodes=(node,),
        client=first.client,
        events=(first, last),
    )


@check
def clients_not_stranded(history: History, address: str, patience_s: Seconds = 2.0) -> Verdict:
    """No client keeps failing for longer than ``patience_s`` while others show that the address answers.

    Others are other clients' answered connections and answers to ARP; while a fault keeps the client
    away from the node that answers, it is not stranded but cut off.
    """
    name = "clients_not_stranded"
    clients = sorted({attempt.client for attempt in history.of(ConnectTried) if attempt.address == address})
    if not clients:
        return unknown(name, f"no client ever tried to connect to {address}")
    long = [one for one in outages(history, address) if one.ever_answered and one.length_s > patience_s]
    scene = _Scene(history, address) if long else None
    evidence = [found for outage in long if scene and (found := _stranded(scene, outage, patience_s))]
    if evidence:
        who = ", ".join(sorted({finding.client for finding in evidence}))
        return violated(name, f"{who} could not reach {address} although it answered others", evidence)
    if long and not _answers(history, address) and len(clients) == 1:
        return unknown(
            name, f"{clients[0]} failed for long, and nobody else was there to show whether {address} answered"
        )
    return holds(
        name, f"no client of {', '.join(clients)} failed for over {duration(patience_s)} while {address} answered"
    )


@dataclass(frozen=True, slots=True)
class _Served:
    """Somebody had an answer at ``t_s``; ``at_s`` is when it was asked for, where that is known."""

    at_s: float
    t_s: float
    node: str
    client: str
    """Empty where it was an answer to ARP, which shows any client that the address answers."""


class _Scene:
    """What shows, at any instant, whether an address answered and whom it could reach."""

    def __init__(self, history: History, address: str) -> None:
        self.clock = clock_of(history)
        self.reach = reach_over_time(history)
        held = HeldBy(holdings(history, address))
        self._answers = _answers(history, address)
        served = [
            _Served(one.t_s, one.t_s, one.node or "", "" if isinstance(one, ArpAnswered) else one.client)
            for one in self._answers
        ]
        for attempt in history.of(ConnectTried):
            if attempt.ok and attempt.address == address:
                nodes = held.at(attempt.t_s) or ("",)
                served += [_Served(attempt.sent_s, attempt.t_s, node, attempt.client) for node in nodes]
        self._served = sorted(served, key=lambda one: one.at_s)

    def served_others(self, client: str, from_s: float, until_s: float) -> list[tuple[float, str]]:
        """When whoever is not this client had an answer, and from which node ("" where nobody knows)."""
        first = bisect_right(self._served, from_s, key=lambda one: one.at_s)
        last = bisect_left(self._served, until_s, key=lambda one: one.at_s)
        return sorted((one.t_s, one.node) for one in self._served[first:last] if one.client != client)

    def last_answer(self, client: str, t_s: float) -> TcpAnswered | None:
        """What last came to this client until an instant."""
        position = bisect_right(self._answers, t_s, key=lambda one: one.t_s)
        for answer in reversed(self._answers[:position]):
            if isinstance(answer, TcpAnswered) and answer.client == client:
                return answer
        return None


def _stranded(scene: _Scene, outage: Outage, patience_s: float) -> Finding | None:
    """The proof that a client's outage was its own, or None."""
    until_s = outage.end_s if outage.end_s is not None else outage.seen_until_s
    served = scene.served_others(outage.client, outage.start_s, until_s)
    reachable = [(t_s, node) for t_s, node in served if _can_reach(scene.reach, outage.client, node, t_s)]
    dead = scene.last_answer(outage.client, outage.start_s + outage.start_error_s)
    live = [(t_s, node) for t_s, node in reachable if not dead or not node or node != dead.node]
    if not live or live[-1][0] - live[0][0] <= patience_s:
        return None
    since_s, holder = live[0]
    sending_to = f", and went on sending to {_name(dead)}" if dead else ""
    ended = f"until {scene.clock.at(until_s)}" if outage.end_s is not None else "to the end of the run"
    return Finding(
        text=f"{outage.client} got no answer from {outage.address} from {scene.clock.at(outage.start_s)} {ended}, "
        f"{duration(until_s - since_s)} of it while {holder or 'somebody'} answered others{sending_to}",
        from_s=since_s,
        until_s=until_s,
        nodes=tuple(name for name in (holder, dead.node if dead and dead.node else "") if name),
        client=outage.client,
        events=(dead,) if dead else (),
    )


def _can_reach(reach: tuple[Reach, ...], client: str, node: str, t_s: float) -> bool:
    """Whether nothing kept the client away from the node; what is unknown is taken as no obstacle."""
    position = bisect_right(reach, t_s, key=lambda piece: piece.from_s) - 1
    if position < 0 or t_s >= reach[position].until_s:
        return True
    piece = reach[position]
    known = any(client in group for group in piece.groups) and any(node in group for group in piece.groups)
    return piece.certain and (not known or piece.together(client, node))
