"""Who begins a K3s, and whom the other masters join. Pure.

A master that is told to begin a cluster and has no data founds one, whatever the others have. So nobody is told that by
the place it has in a table: only where every master said that it has never been in a cluster does one begin. A first
master that lost its disk joins the others.
"""

from collections.abc import Callable, Mapping, Sequence

from ..inventory.core import Server
from ..plan.core import Action, Ask, Decided, File, Stage, Undecided
from .places import API_PORT, JOIN, MEMBER, place

_MEMBER = "member"
Started = Callable[[Server, Sequence[Server], File], tuple[Action, ...]]
"""What is done on a master: it, those that are in the cluster when it is, and how it comes in."""


def founding(masters: Sequence[Server], started: Started) -> Stage:
    """All are asked; then one after the other is in, and ready, before the next begins."""
    asked = Ask(f"if test -d {MEMBER}; then echo {_MEMBER}; else echo nothing; fi")

    def decide(answers: Mapping[str, tuple[str, ...] | None]) -> Decided:
        return decided(masters, answers, started)

    return Stage("masters", {one.name: (asked,) for one in masters}, decide)


def decided(masters: Sequence[Server], answers: Mapping[str, tuple[str, ...] | None], started: Started) -> Decided:
    """What follows from what they have. Raises Undecided where one did not answer: it may be the one that has all."""
    if silent := [one.name for one in masters if answers.get(one.name) is None]:
        raise Undecided(f"{', '.join(silent)}: no answer, and so nobody knows whether there is a cluster to join")
    members = [one for one in masters if answers[one.name] == (_MEMBER,)]
    others = [one for one in masters if one not in members]
    stages: list[Stage] = []
    inside: list[Server] = []
    for one in (*members, *others):
        way = _way(one, members, inside)
        stages.append(Stage(f"{one.name} is in", {one.name: started(one, (*inside, one), way)}))
        inside.append(one)
    if not members:
        return Decided(f"no master was ever in a cluster: {masters[0].name} begins one", tuple(stages))
    in_it = ", ".join(one.name for one in members)
    joining = f"; {', '.join(one.name for one in others)} to join" if others else ""
    return Decided(f"in a cluster already: {in_it}{joining}", tuple(stages))


def _way(one: Server, members: Sequence[Server], inside: Sequence[Server]) -> File:
    """How it comes in; of one that is in already, what it once was told stays."""
    if not members and not inside:
        return File(JOIN, "cluster-init: true\n", 0o600)
    known = next((other for other in (*inside, *members) if other != one), None)
    told = f"server: https://{place(known)}:{API_PORT}\n" if known else "cluster-init: true\n"
    return File(JOIN, told, 0o600, once=one in members)
