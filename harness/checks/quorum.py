"""Checks of membership: quorum where the votes say so and only there, and everybody of one mind in the end."""

from collections.abc import Iterator
from dataclasses import replace

from harness.checks.declared import Seconds, check
from harness.checks.reach import Reach, reach_over_time
from harness.checks.story import (
    Electorate,
    Electorates,
    Views,
    certain_until_s,
    clock_of,
    cut_short,
    duration,
    electorate,
    end_s,
    fault_windows,
    in_hand_until_s,
    powered_at,
)
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.events import ConfigurationSeen, MembershipSeen, NodeStarted, RosterSeen, WatchStarted
from harness.history import History

JUST_BEFORE_S = 1e-6


@check
def quorum_where_votes_say(history: History, settle_s: Seconds = 1.5) -> Verdict:
    """At the end of every fault window and of the scenario, a node is quorate if and only if its votes say so.

    An instant is settled when for ``settle_s`` no fault began or ended and no node gained or lost
    power; at an unsettled one a node may still be on its way, and only what is already right counts.
    Frozen nodes cannot say anything and are not asked; where a daemon is stopped, or packets are lost
    one way only, the votes say nothing of what its node must see, and that instant is left out.
    """
    name = "quorum_where_votes_say"
    electorates = Electorates(history)
    if not electorate(history).votes:
        return unknown(name, "the history has no topology with votes")
    if not history.of(MembershipSeen):
        return unknown(name, "no node ever said whether it was quorate")
    pieces, views, clock, last_s = reach_over_time(history), Views(history), clock_of(history), end_s(history)
    told_until_s = min(in_hand_until_s(history), certain_until_s(history))
    instants = {
        window.heal_began_s: f"at the end of {window.label}"
        for window in fault_windows(history)
        if window.heal_began_s is not None and window.effective_s is not None and window.heal_began_s <= told_until_s
    }
    if not cut_short(history):
        instants[last_s] = "at the end of the scenario"
    wrong: list[Finding] = []
    unsettled: list[Finding] = []
    judged = 0
    for t_s, when in sorted(instants.items()):
        piece = _piece_before(pieces, t_s)
        if piece is None or not piece.certain or piece.hung:
            continue
        label = f"{when} ({clock.at(t_s)})"
        readings = [_mistakes(piece, people, views, t_s, label) for people in electorates.possible(t_s)]
        mistakes = min(readings, key=len)
        settled = t_s - piece.from_s >= settle_s
        judged += settled or not mistakes
        (wrong if settled else unsettled).extend(mistakes)
    if wrong:
        nodes = ", ".join(sorted({node for finding in wrong for node in finding.nodes}))
        return violated(name, f"not as the votes say: {nodes}", wrong)
    if unsettled or not judged:
        why = f"some instant came within {duration(settle_s)} of a change"
        return unknown(name, "the run was cut short before any" if not instants else why, unsettled)
    return holds(name, f"quorum was where the votes said, and only there, at {judged} instants")


def _piece_before(pieces: tuple[Reach, ...], t_s: float) -> Reach | None:
    """The stretch that ends at or contains an instant, joined with equal ones before it."""
    found: Reach | None = None
    for piece in pieces:
        if piece.from_s >= t_s:
            break
        same = found is not None and replace(found, from_s=piece.from_s, until_s=piece.until_s) == piece
        found = replace(piece, from_s=found.from_s) if found is not None and same else piece
    return found


def _mistakes(piece: Reach, people: Electorate, views: Views, t_s: float, when: str) -> list[Finding]:
    found = []
    for group in piece.groups:
        nodes = group & people.nodes
        expected = people.is_majority(nodes)
        for node in sorted(nodes):
            seen = views.at(node, t_s - JUST_BEFORE_S)
            quorate = seen is not None and seen.quorate
            # Of two equal nodes either may go on alone, or neither: the votes demand only that both together do.
            if quorate == expected or (people.two_node and not expected):
                continue
            has = "was quorate" if quorate else "was not quorate" if seen else "said nothing"
            votes = sum(people.votes[member] for member in nodes)
            found.append(
                Finding(
                    text=f"{when} {node} {has}, though {', '.join(sorted(nodes))} could reach each "
                    f"other with {votes} of {sum(people.votes.values())} votes",
                    from_s=t_s,
                    nodes=(node,),
                    events=(seen,) if seen else (),
                )
            )
    return found


@check
def agree_afterwards(history: History) -> Verdict:
    """In the end all nodes that have power see the same membership, themselves, quorate, and are configured alike.

    Where nodes were seen to agree on who is a member, only members: whoever was removed, or has not joined, has to see
    nobody. Nodes whose membership was never watched, while that of others was, are none of this cluster.
    """
    name = "agree_afterwards"
    if not history.of(MembershipSeen):
        return unknown(name, "no node ever said whom it saw")
    last_s, views = end_s(history) - JUST_BEFORE_S, Views(history)
    alive, outside = _members(history, views, last_s)
    if not alive:
        return unknown(name, "no node had power at the end")
    if cut_short(history) or in_hand_until_s(history) < end_s(history):
        return unknown(name, "the run was cut short: how the nodes would have agreed in the end, nobody can tell")
    wrong = [*_of_another_mind(views, last_s, alive), *_not_outside(views, last_s, outside)]
    digests = _digests(history, alive)
    if len(set(digests.values())) > 1:
        listed = ", ".join(f"{node} {digest[:12]}" for node, digest in sorted(digests.items()))
        wrong.append(Finding(text=f"configurations differ: {listed}", nodes=tuple(sorted(digests))))
    if wrong:
        return violated(name, "the nodes did not agree in the end", wrong)
    configured = f", configured alike ({len(digests)} compared)" if digests else "; configurations were not compared"
    return holds(name, f"{', '.join(sorted(alive))} all saw each other, quorate{configured}")


def _members(history: History, views: Views, t_s: float) -> tuple[frozenset[str], frozenset[str]]:
    """Who of those with power has to agree (the members, where they are known; else all), and who is outside."""
    powered = powered_at(history, t_s) if history.of(NodeStarted) else frozenset(views.nodes)
    if watched := {one.target for one in history.of(WatchStarted) if one.what == "membership"}:
        powered &= watched
    if not history.of(RosterSeen):
        return powered, frozenset()
    members = frozenset(Electorates(history).possible(t_s)[-1].votes)
    return powered & members, powered - members


def _of_another_mind(views: Views, t_s: float, alive: frozenset[str]) -> Iterator[Finding]:
    for node in sorted(alive):
        seen = views.at(node, t_s)
        if seen is None or not seen.quorate or set(seen.members) != alive:
            says = "nothing" if seen is None else _said(seen)
            events = (seen,) if seen else ()
            yield Finding(text=f"{node} saw {says}; {', '.join(sorted(alive))} had power", nodes=(node,), events=events)


def _not_outside(views: Views, t_s: float, outside: frozenset[str]) -> Iterator[Finding]:
    for node in sorted(outside):
        seen = views.at(node, t_s)
        if seen is not None and seen.quorate:
            yield Finding(text=f"{node}, which is no member, saw {_said(seen)}", nodes=(node,), events=(seen,))


def _said(seen: MembershipSeen) -> str:
    return f"{', '.join(sorted(seen.members)) or 'nobody'}, {'quorate' if seen.quorate else 'not quorate'}"


def _digests(history: History, alive: frozenset[str]) -> dict[str, str]:
    return {seen.node: seen.digest for seen in history.of(ConfigurationSeen) if seen.node in alive}
