"""Rosters, told in text files (stories/*.txt) and held to what they say.

Every node has an acceptor on its disk, a majority of which decides the next roster. Commands:

    nodes 3                         a cluster of n1, n2 and n3; n4 and so on are machines that are not in it
    prepare n1 round 1 at n1 n2     n1 opens a ballot of that round at these nodes
    accept n1 round 1 remove n3 at n2   in that ballot it proposes this (or: join n4, vote n4) to these nodes
    learn n3 from n1                n3 asks n1 which roster is decided
    power-cut n2                    n2 starts again with nothing but its disk
    guard n3 online n1 n2           whether n3 may be removed, with these nodes online
    voting n1                       how n1 votes on leases
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.stack.sfha.roster.core import (
    NEVER,
    Acceptor,
    Ballot,
    Member,
    Promise,
    Refusal,
    Roster,
    next_ballot,
    quorum_guard,
    unfinished,
)
from tests.stack.sfha import transcripts
from tests.stack.sfha.roster.test_core import AcceptorFactory, AcceptorThatIsAsGoodAsItsMemory, member, roster

STORIES = Path(__file__).parent / "stories"


def names(one: Roster) -> str:
    """Who is in it; who does not vote yet is in brackets."""
    return " ".join(known.name if known.voter else f"({known.name})" for known in one.members)


def in_words(ballot: Ballot) -> str:
    return "nothing" if ballot == NEVER else f"round {ballot[0]} of n{ballot[1]}"


class Story:
    """Carries out the commands of one file."""

    def __init__(self, acceptor: AcceptorFactory = Acceptor) -> None:
        self.acceptor = acceptor
        self.acceptors: dict[str, Acceptor] = {}
        self.promises: dict[Ballot, dict[str, Promise]] = {}
        self.accepted: dict[Ballot, set[str]] = {}
        self.decided: dict[int, Roster] = {}

    def __call__(self, command: str, words: list[str]) -> list[str]:
        lines = transcripts.carry_out(self, command, words)
        assert isinstance(lines, list)
        return lines

    def do_nodes(self, count: str) -> list[str]:
        first = roster(*range(1, int(count) + 1))
        self.acceptors = {f"n{number}": self.acceptor(first, NEVER, None) for number in range(1, 10)}
        return [f"epoch 1: {names(first)}"]

    def do_prepare(self, by: str, _round: str, number: str, _at: str, *at: str) -> list[str]:
        ballot = self._ballot(by, number)
        lines = []
        for name in at:
            answer = self.acceptors[name].prepare(self.acceptors[by].current.epoch + 1, ballot)
            if isinstance(answer, Promise):
                self.promises.setdefault(ballot, {})[name] = answer
                before = answer.accepted
                lines.append(
                    f"{name} promises"
                    + (f"; it has accepted {before.roster.cause} in {in_words(before.ballot)}" if before else "")
                )
            else:
                lines.append(f"{name} {self._refusal(answer)}")
        return lines

    def do_accept(self, by: str, _round: str, number: str, what: str, whom: str, _at: str, *at: str) -> list[str]:
        ballot, base = self._ballot(by, number), self.acceptors[by].current
        promises = self.promises.get(ballot, {})
        if not base.is_majority(int(name[1:]) for name in promises):
            return [f"{by} may not: {len(promises)} of {len(base.members)} have promised"]
        begun = unfinished(promises.values())
        value = begun or self._change(base, what, whom)
        lines = [f"{by} has to finish what was begun: {value.cause}"] if begun else []
        for name in at:
            refused = self.acceptors[name].accept(base.epoch + 1, ballot, value)
            if refused is None:
                self.accepted.setdefault(ballot, set()).add(name)
            lines.append(f"{name} accepts" if refused is None else f"{name} {self._refusal(refused)}")
        if base.is_majority(int(name[1:]) for name in self.accepted.get(ballot, ())):
            assert self.decided.setdefault(value.epoch, value) == value, "decided twice"
            lines.append(f"decided, epoch {value.epoch}: {names(value)}")
        return lines

    def do_learn(self, who: str, _from: str, whom: str) -> list[str]:
        """The decision is learned by whoever proposed it; from there on, from each other."""
        known = self.acceptors[whom].current
        newest = self.decided.get(known.epoch + 1) if who == whom else known
        if newest is None or not self.acceptors[who].learn(newest):
            return [f"{who} hears nothing new"]
        return [f"{who} is in epoch {newest.epoch}: {names(newest)}"]

    def do_power_cut(self, who: str) -> list[str]:
        before = self.acceptors[who]
        self.acceptors[who] = after = self.acceptor(before.current, before.promised, before.accepted)
        accepted = after.accepted.roster.cause if after.accepted else "nothing"
        return [f"{who} has promised {in_words(after.promised)} and accepted {accepted}"]

    def do_guard(self, who: str, _online: str, *online: str) -> list[str]:
        why = quorum_guard(self.acceptors[online[0]].current, who, [int(name[1:]) for name in online])
        return [str(why) if why else f"{who} may be removed"]

    def do_voting(self, who: str) -> list[str]:
        voting = self.acceptors[who].voting()
        groups = " and of ".join(" ".join(f"n{node}" for node, votes in one.items() if votes) for one in voting.groups)
        view, floor = (".".join(map(str, one)) for one in (voting.view, voting.floor))
        return [f"{who} asks in view {view} a majority of {groups}, and hears no view below {floor}"]

    def _ballot(self, by: str, number: str) -> Ballot:
        ballot = next_ballot(int(by[1:]), (int(number) - 1, 0))
        assert by in self.acceptors, f"there is no {by}"
        return ballot

    def _change(self, base: Roster, what: str, whom: str) -> Roster:
        changes: dict[str, Callable[[], Roster]] = {
            "remove": lambda: base.without(whom),
            "join": lambda: base.with_member(self._newcomer(whom)),
            "vote": lambda: base.with_voter(whom),
        }
        return changes[what]()

    def _newcomer(self, name: str) -> Member:
        return member(int(name[1:]))

    def _refusal(self, refusal: Refusal) -> str:
        return f"refuses: it has promised {in_words(refusal.promised)}, and is in epoch {refusal.epoch}"


@pytest.mark.parametrize("path", transcripts.stories(STORIES), ids=lambda path: path.stem)
def test_it_goes_as_the_story_says(path: Path) -> None:
    transcripts.check(path, Story())


def test_an_acceptor_that_forgets_tells_another_story() -> None:
    def differs(path: Path) -> bool:
        try:
            told = transcripts.as_it_happens(path, Story(AcceptorThatIsAsGoodAsItsMemory))
        except AssertionError:  # two rosters of one epoch
            return True
        return told != path.read_text(encoding="utf-8")

    assert any(differs(path) for path in transcripts.stories(STORIES))
