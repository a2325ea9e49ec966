"""What a program on this node is told of the others, and when: *fenced* and *returned*. Pure.

Every node tells its own program, since what follows from a death has to be done on each of them; none relies on a
leader, which may die next.

- *fenced* is said of a node only while there is proof that it has no power and it is no member; never on suspicion.
- *returned* is said once it is a member, or was removed from the cluster.
- Of one node one call is under way at a time, and what is said is what is so when the call begins: so *returned*
  never comes before the end of a *fenced* that it undoes, and a node that came back before anything was begun is
  never called fenced.
- What failed is said again for as long as it is so, ever more rarely. The program has to bear that.

Nothing is kept on a disk: what an earlier life of the daemon said is unknown, so each member is said to have returned
once, and each node that is seen to be off is said to be fenced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

AGAIN_AFTER_S = (0.5, 2.0, 10.0, 60.0)
"""After the first failure, the second and so on; the last of them from then on."""


class Word(Enum):
    """What the program is called with, before the node's name."""

    FENCED = "fenced"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Seen:
    """How the other nodes are now, by name: who belongs to the cluster, is a member, is proven to be off."""

    known: frozenset[str]
    members: frozenset[str]
    off: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ended:
    """The call about this node has ended, well or with ``error``."""

    node: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Wake:
    """The time asked for by ``wake_s`` has come."""


Signal = Seen | Ended | Wake


@dataclass(frozen=True, slots=True)
class Call:
    """Call the program with this word and this name; then signal Ended."""

    node: str
    word: Word


@dataclass(slots=True)
class Notice:
    """What was last said of a node."""

    word: Word
    running: bool = True
    done: bool = False
    tries: int = 1
    error: str = ""
    again_s: float | None = None


class NoticesCore:
    """Decides for one node."""

    def __init__(self) -> None:
        self.wake_s: float | None = None
        self._seen = Seen(frozenset(), frozenset(), frozenset())
        self._notices: dict[str, Notice] = {}

    @property
    def notices(self) -> Mapping[str, Notice]:
        """What was last said, by the name of whom it was said of."""
        return self._notices

    def step(self, signal: Signal, now_s: float) -> list[Call]:
        """Take one signal at ``now_s`` and say what to do."""
        match signal:
            case Seen():
                self._seen = signal
            case Ended(node, error):
                self._ended(node, error, now_s)
            case Wake():
                pass
        calls = [call for node in sorted({*self._seen.known, *self._notices}) for call in self._follow(node, now_s)]
        waits = [one.again_s for node, one in self._notices.items() if self._is_wanted(node, one)]
        self.wake_s = min((again_s for again_s in waits if again_s is not None), default=None)
        return calls

    def _ended(self, node: str, error: str, now_s: float) -> None:
        one = self._notices.get(node)
        if one is None or not one.running:
            return
        one.running, one.done, one.error = False, not error, error
        if error:
            one.again_s = now_s + AGAIN_AFTER_S[min(one.tries, len(AGAIN_AFTER_S)) - 1]
        elif node not in self._seen.known and one.word is Word.RETURNED:
            del self._notices[node]

    def _follow(self, node: str, now_s: float) -> list[Call]:
        word, one = self._wanted(node), self._notices.get(node)
        if word is None or (one is not None and one.running):
            return []
        if one is None or one.word is not word:
            self._notices[node] = Notice(word)
        elif one.done or one.again_s is None or now_s < one.again_s:
            return []
        else:
            one.running, one.again_s, one.tries = True, None, one.tries + 1
        return [Call(node, word)]

    def _wanted(self, node: str) -> Word | None:
        """What is so of the node now, as far as anything is certain."""
        if node in self._seen.members:
            return Word.RETURNED
        if node not in self._seen.known:
            return Word.RETURNED if node in self._notices else None
        return Word.FENCED if node in self._seen.off else None

    def _is_wanted(self, node: str, one: Notice) -> bool:
        return self._wanted(node) is one.word
