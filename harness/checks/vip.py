"""Checks of who held an address: never two nodes at once, and never one without quorum."""

from itertools import pairwise

from harness.checks.declared import Seconds, check
from harness.checks.holding import Holding, holdings
from harness.checks.intervals import Interval, Spans, clip, intersection, union
from harness.checks.reach import Reach, reach_over_time
from harness.checks.story import (
    OBSERVED_LATE_S,
    Clock,
    Electorate,
    Electorates,
    Stalls,
    Views,
    certain_until_s,
    clock_of,
    duration,
    electorate,
    end_s,
    node_clocks_of,
    stalls_of,
)
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.events import AddressAdded, GateOpened, MembershipSeen
from harness.history import History

RESOLUTION_S = 0.001
"""Two sockets that are read in one go are stamped this much apart at most; a shorter overlap may be none."""

SEEN_LATE_S = 0.3
"""A node's view of its membership comes through a process in the node: on a busy host it is seen so much later."""


@check
def one_holder(
    history: History, address: str, resolution_s: Seconds = RESOLUTION_S, hand_over_s: Seconds = 0.0
) -> Verdict:
    """At no instant do two nodes hold the address.

    An overlap that the observer's own lateness, or the error of nodes' own clocks, could explain is UNKNOWN, any other
    is VIOLATED. Of systems that hand over by design with both holding for a moment, ``hand_over_s`` is how long that
    moment may be.
    """
    name = "one_holder"
    held = holdings(history, address)
    if not held:
        return unknown(name, f"nobody was ever seen to hold {address}")
    stalls, told_until_s = stalls_of(history), certain_until_s(history, OBSERVED_LATE_S)
    clocks = node_clocks_of(history)
    certain: list[Finding] = []
    doubtful: list[Finding] = []
    for position, first in enumerate(held):
        for second in held[position + 1 :]:
            if second.start_s >= first.end_s:
                break
            if second.node == first.node:
                continue
            overlap = first.interval.overlap(second.interval)
            if overlap and overlap.length_s > hand_over_s:
                apart_s = clocks.error_s(first.node) + clocks.error_s(second.node)
                error_s = max(resolution_s, apart_s, _lateness_s(first, second, overlap, stalls))
                found = _two_holders((first, second), overlap, error_s, history)
                lasts = first.end_seen_s is None and second.end_seen_s is None
                seen_s = min(overlap.end_s, told_until_s) - overlap.start_s if lasts else overlap.length_s
                (certain if seen_s > error_s else doubtful).append(found)
    holders = ", ".join(sorted({holding.node for holding in held}))
    if certain:
        worst_s = sum(one.until_s - one.from_s for one in certain if one.until_s and one.from_s)
        times = "once" if len(certain) == 1 else f"{len(certain)} times"
        return violated(name, f"{address} had two holders {times}, {duration(worst_s)} in all", certain)
    if doubtful:
        return unknown(name, f"{address} seemed to have two holders, for less than the observer can tell", doubtful)
    return holds(name, f"{address} never had two holders ({len(held)} holdings by {holders})")


def _lateness_s(first: Holding, second: Holding, overlap: Interval, stalls: Stalls) -> float:
    """By how much the overlap may be shorter: its end, if seen late, was really earlier."""
    ending = first if first.end_s == overlap.end_s else second
    return 0.0 if ending.end_seen_s is None else stalls.lateness_s(ending.end_seen_s)


def _two_holders(both: tuple[Holding, Holding], overlap: Interval, error_s: float, history: History) -> Finding:
    first, second = both
    clock = clock_of(history)
    nodes = (first.node, second.node)
    proof = tuple(
        event
        for event in history.of(AddressAdded, GateOpened)
        if isinstance(event, AddressAdded | GateOpened)
        and event.node in nodes
        and event.address == first.address
        and event.t_s <= overlap.end_s
        and event.t_s in (first.start_s, second.start_s)
    )
    return Finding(
        text=f"{first.node} and {second.node} both held {first.address} for {duration(overlap.length_s)} "
        f"(± {duration(error_s)}), from {clock.at(overlap.start_s)} until {clock.at(overlap.end_s)}",
        from_s=overlap.start_s,
        until_s=overlap.end_s,
        nodes=nodes,
        events=proof[:4],
    )


@check
def never_without_quorum(history: History, address: str, tolerance_s: Seconds = 0.35) -> Verdict:
    """No node holds the address in a part of the cluster that has no quorum, longer than ``tolerance_s``.

    A node is without quorum when it says so itself or names members without a majority of
    votes; when a majority agrees on a membership it is not part of; or when the faults in effect
    left it in a group without a majority of votes. Where nodes join and leave, the votes are those of
    the roster on the nodes' disks at that time.
    """
    name = "never_without_quorum"
    held = holdings(history, address)
    if not held:
        return unknown(name, f"nobody was ever seen to hold {address}")
    people = electorate(history)
    if not people.votes and not history.of(MembershipSeen):
        return unknown(name, "the history has neither a topology with votes nor any node's view of its membership")
    clock, last_s = clock_of(history), end_s(history)
    evidence: list[Finding] = []
    for node in sorted({holding.node for holding in held}):
        mine = union(holding.interval for holding in held if holding.node == node)
        for reason, without in _without_quorum(history, node, last_s).items():
            for span in intersection(mine, without):
                began_s = max(start.start_s for start in without if start.start_s <= span.start_s)
                beyond_s = span.end_s - max(span.start_s, began_s + tolerance_s)
                if beyond_s > 0:
                    evidence.append(_held_without((node, address), span, reason, tolerance_s, clock))
    if evidence:
        nodes = ", ".join(sorted({node for finding in evidence for node in finding.nodes}))
        longest_s = max((one.until_s or 0.0) - (one.from_s or 0.0) for one in evidence)
        return violated(name, f"{nodes} held {address} without quorum, for up to {duration(longest_s)}", evidence)
    return holds(name, f"no node held {address} more than {duration(tolerance_s)} after its quorum was lost")


def _held_without(who: tuple[str, str], span: Interval, reason: str, tolerance_s: float, clock: Clock) -> Finding:
    node, address = who
    return Finding(
        text=f"{node} held {address} for {duration(span.length_s)} without quorum "
        f"({duration(tolerance_s)} are allowed), from {clock.at(span.start_s)} until {clock.at(span.end_s)}: {reason}",
        from_s=span.start_s,
        until_s=span.end_s,
        nodes=(node,),
    )


def _without_quorum(history: History, node: str, last_s: float) -> dict[str, Spans]:
    """Where a node was without quorum, by each kind of evidence, up to the end of the scenario."""
    views, electorates = Views(history), Electorates(history)
    first_s = history.first_s
    changes = sorted({first_s, *views.changes(first_s, last_s), last_s})
    own, excluded, lonely = [], [], []
    for from_s, until_s in pairwise(changes):
        seen = views.at(node, from_s)
        for span, possible in electorates.stretches(from_s, until_s):
            if all(_says_no_quorum(seen, people) for people in possible):
                own.append(span)
            if all(_excluded(node, views, people, from_s) for people in possible):
                excluded.append(span)
    for piece in reach_over_time(history):
        if piece.certain and piece.from_s < last_s:
            for span, possible in electorates.stretches(piece.from_s, min(piece.until_s, last_s)):
                if all(_lonely(node, piece, people) for people in possible):
                    lonely.append(span)
    told_until_s = min(last_s, certain_until_s(history))
    lasts_s = last_s if told_until_s == last_s else float("inf")
    return {
        "it had no quorum by its own account": _surely(union(own), lasts_s),
        "a majority of the others had formed a cluster without it": _surely(union(excluded), lasts_s),
        "the faults in effect had left it without a majority of votes": clip(union(lonely), first_s, told_until_s),
    }


def _lonely(node: str, piece: Reach, people: Electorate) -> bool:
    if people.two_node or not people.votes:
        return False
    return any(node in group and not people.is_majority(group) for group in piece.groups)


def _surely(spans: Spans, lasts_s: float) -> Spans:
    """The spans without their ends: views reach us late, so quorum was back before we saw that it was.

    Not so those that last to the scenario's end (``lasts_s``: infinity for a history that broke off before it).
    """
    ends = [(span, span.end_s if span.end_s >= lasts_s else span.end_s - SEEN_LATE_S) for span in spans]
    return tuple(Interval(span.start_s, end_s) for span, end_s in ends if end_s > span.start_s)


def _says_no_quorum(seen: MembershipSeen | None, people: Electorate) -> bool:
    if seen is None:
        return False
    if not seen.quorate:
        return True
    return bool(people.votes) and not people.two_node and not people.is_majority(seen.members)


def _excluded(node: str, views: Views, people: Electorate, t_s: float) -> bool:
    """Whether some majority, all of whose members agree on it, has formed without the node."""
    if people.two_node:
        return False
    for other in people.nodes - {node}:
        seen = views.at(other, t_s)
        if seen is None or not seen.quorate or node in seen.members or not people.is_majority(seen.members):
            continue
        theirs = [views.at(member, t_s) for member in seen.members]
        if all(view is not None and set(view.members) == set(seen.members) for view in theirs):
            return True
    return False
