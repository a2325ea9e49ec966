"""What all faults share, so that one of them is a signature, an aim, what it does, and how that is seen."""

from collections.abc import Mapping
from typing import ClassVar, Self

from harness.cluster import Cluster
from harness.errors import EngineError
from harness.events import Json
from harness.fault import Effect, Seen
from harness.faults.declaration import Declaration, Nodes
from harness.faults.select import Selector, nodes_called
from harness.healing import HealAction


class Declared:
    """A fault that is declared with :func:`harness.faults.declaration.fault`.

    Its arguments are checked before its constructor sees them. ``harness.fault.Fault`` says what each member is for.
    """

    declaration: ClassVar[Declaration]
    name: str = ""
    targets: tuple[str, ...] = ()
    bites_within_s: float = 1.0
    gone_within_s: float = 5.0
    _parameters: Mapping[str, Json]

    def __new__(cls, *words: object, **named: object) -> Self:
        """Raises UsageError for arguments that are not allowed."""
        made = super().__new__(cls)
        made._parameters = cls.declaration.check(words, named)
        return made

    @property
    def parameters(self) -> Mapping[str, Json]:
        """What it was told besides whom to hit."""
        return self._parameters

    def lacks(self, cluster: Cluster) -> str | None:
        """Nothing, unless a fault says otherwise."""
        return None

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Decide whom to hit, and give what undoes it."""
        raise NotImplementedError

    async def inject(self, cluster: Cluster) -> None:
        """Do it."""
        raise NotImplementedError

    async def see(self, cluster: Cluster) -> Seen:
        """Look from outside."""
        raise NotImplementedError

    async def end(self, cluster: Cluster) -> None:
        """Nothing goes on by itself, unless a fault says otherwise."""


class OnNodes(Declared):
    """A fault of whole nodes. Says whom it is aimed at; a kind that is told more has a constructor of its own."""

    _whom: Selector

    def __init__(self, nodes: Nodes) -> None:
        self._whom = whom(nodes)

    def _powered(self, cluster: Cluster) -> tuple[str, ...]:
        """The nodes that are meant. Raises EngineError when one of them has no power."""
        nodes = self._whom(cluster)
        for name in nodes:
            if not cluster.is_up(name):
                raise EngineError(f"{self.name}: {name} has no power")
        return nodes


def whom(nodes: Selector | str) -> Selector:
    """A selector, or the words of a person."""
    return nodes_called(nodes) if isinstance(nodes, str) else nodes


def judged(there: int, of: int, evidence: str) -> Seen:
    """So many of so many show the effect."""
    return Seen(Effect.NONE if there == 0 else Effect.ALL if there == of else Effect.SOME, evidence)
