"""Who may change the inventory, and which copy of it is the right one. Pure.

Each machine has a whole copy. Whoever leads has asked a majority for a *term* that is higher than all that they knew;
they promise to take nothing of a lower one any more, and say how new their copies are. The newest of them becomes his
own, and he gives it to a majority under his own term before he changes anything. A change counts when a majority has
it. Two majorities have a machine in common: so the newest copy of any majority has every change that counted, and two
leaders never both bring a change through. No clock is in this.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """When somebody began to lead: a count, and who it was, so that no two are the same."""

    count: int = 0
    leader: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """How new a copy is: of which term, and which of the changes that were tried in it."""

    term: Term = Term()
    number: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a machine has promised, and how new its copy is."""

    promised: Term = Term()
    mark: Mark = Mark()

    def leads(self, name: str) -> bool:
        """Whether the machine of that name has the term of its copy, and has heard of no later one."""
        return self.mark.term.leader == name and self.promised == self.mark.term

    def grants(self, term: Term) -> bool:
        """Whether it promises itself to a term."""
        return term > self.promised

    def takes(self, mark: Mark) -> bool:
        """Whether it takes a copy. One of its own term that came late, after a newer one, is of no use any more."""
        return mark.term >= self.promised and mark >= self.mark


def majority(machines: int) -> int:
    """So many of them."""
    return machines // 2 + 1


def next_term(known: Iterable[Term], name: str) -> Term:
    """A term of one's own, above all that are known."""
    return Term(max((one.count for one in known), default=0) + 1, name)
