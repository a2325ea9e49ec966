"""The removal of a node, step by step, so that it can be interrupted anywhere and run again. Pure.

The order is what keeps the others connected: the target is told first, then everybody else removes it,
and the node that removes it from its own tunnel and membership last can reach all of them until then.
Deciding comes before everything: as long as the decision is not there nothing was done, and once it is
there, every step can be done twice without harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from ...kit.messages import Message, from_json, message


class Step(Enum):
    """What is to be done next; the numbers 1 to 5 are those shown to people."""

    DECIDE = "decide"
    TELL_TARGET = "tell-target"
    TELL_PEERS = "tell-peers"
    AWAIT_PEERS = "await-peers"
    REMOVE_TUNNEL = "remove-tunnel"
    REMOVE_MEMBER = "remove-member"
    DONE = "done"


ORDER = tuple(Step)
NUMBERED = {
    Step.TELL_TARGET: 1,
    Step.TELL_PEERS: 2,
    Step.AWAIT_PEERS: 3,
    Step.REMOVE_TUNNEL: 4,
    Step.REMOVE_MEMBER: 5,
}


class RemovalRefused(Exception):
    """The removal must not be done; the message says why and what to do."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when somebody asks for a removal."""

    own_name: str
    quorate: bool
    known: frozenset[str]
    target_online: bool
    target_standby: bool
    quorum_afterwards: Message | None
    """Why there would be no quorum afterwards; None when there would be."""


def validate(target: str, situation: Situation, *, force: bool) -> None:
    """Raises RemovalRefused unless the removal may begin."""
    if target == situation.own_name:
        raise RemovalRefused(message("removal.self", name=target))
    if target not in situation.known:
        raise RemovalRefused(message("removal.unknown", name=target, known=", ".join(sorted(situation.known))))
    if not situation.quorate:
        raise RemovalRefused(message("removal.no-quorum"))
    if situation.quorum_afterwards is not None:
        raise RemovalRefused(situation.quorum_afterwards)
    if situation.target_online and not situation.target_standby and not force:
        raise RemovalRefused(message("removal.online", name=target))


@dataclass(frozen=True, slots=True)
class Removal:
    """A removal under way: written down before each step, so that the next run knows where this one was."""

    target: str
    address: str
    public_key: str
    peers: tuple[str, ...]
    online: bool = True
    step: Step = Step.DECIDE
    confirmed: tuple[str, ...] = ()
    warnings: tuple[Message | str, ...] = ()

    def advanced(self) -> "Removal":
        """The same removal, one step on."""
        return replace(self, step=ORDER[ORDER.index(self.step) + 1])

    def target_answered(self, error: Message | str | None) -> "Removal":
        """The target was told, or could not be (then it is told nothing: it is gone, or will find out)."""
        if error is None:
            return self.advanced()
        not_told = message("removal.not-told", name=self.target, why=error)
        return replace(self.advanced(), warnings=(*self.warnings, not_told))

    def peers_answered(self, answers: Mapping[str, Message | str | None]) -> "Removal":
        """The other peers answered (None) or did not (why)."""
        failed = tuple(
            message("peer.failed", name=name, why=error) for name, error in sorted(answers.items()) if error is not None
        )
        confirmed = tuple(sorted({*self.confirmed, *(name for name, error in answers.items() if error is None)}))
        return replace(self.advanced(), confirmed=confirmed, warnings=(*self.warnings, *failed))

    @property
    def outstanding(self) -> tuple[str, ...]:
        """The peers that have not confirmed yet."""
        return tuple(name for name in self.peers if name not in self.confirmed)

    @property
    def partial(self) -> bool:
        """Whether somebody has still to learn of it (it will, as soon as it is heard again)."""
        return bool(self.outstanding)

    def propagated(self) -> str:
        """ "n/total", as shown to people."""
        return f"{len(self.confirmed)}/{len(self.peers)}"

    def plan(self) -> tuple[Message, ...]:
        """What will be done, in words, for --dry-run."""
        others = ", ".join(self.peers) or "-"
        return (
            message("removal.plan.1", name=self.target, address=self.address),
            message("removal.plan.2", peers=others),
            message("removal.plan.3"),
            message("removal.plan.4", name=self.target),
            message("removal.plan.5", name=self.target),
        )


def removal_to_json(removal: Removal) -> dict[str, object]:
    """For the journal."""
    return {
        "target": removal.target,
        "address": removal.address,
        "public_key": removal.public_key,
        "peers": list(removal.peers),
        "online": removal.online,
        "step": removal.step.value,
        "confirmed": list(removal.confirmed),
        "warnings": [one.to_json() if isinstance(one, Message) else one for one in removal.warnings],
    }


def removal_from_json(value: object) -> Removal:
    """The inverse of ``removal_to_json``. Raises ValueError."""
    match value:
        case {
            "target": str(target),
            "address": str(address),
            "public_key": str(key),
            "peers": list(peers),
            "online": bool(online),
            "step": str(step),
            "confirmed": list(confirmed),
            "warnings": list(warnings),
        }:
            found = (tuple(map(str, confirmed)), tuple(map(from_json, warnings)))
            return Removal(target, address, key, tuple(map(str, peers)), online, Step(step), *found)
    raise ValueError("not a removal")
