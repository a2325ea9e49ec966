"""May this node have what must never be on two at a time? Without fencing it may; with it, when the arbiter says so."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..config.load import Config
from ..fencing.outlook import Outlook
from .ports import ClaimPorts

if TYPE_CHECKING:
    from .arbiter import Arbiter
    from .arbiter_messages import ArbiterMessage


class Permission:
    """A node's arbiter, where it has one. ``permitted`` says whether exclusive things may be here now."""

    def __init__(
        self,
        node_id: int,
        names: Mapping[int, str],
        *,
        votes: Mapping[int, int],
        config: Config,
        ports: ClaimPorts,
        send: Callable[[int | None, "ArbiterMessage"], None],
    ) -> None:
        """``send`` says something to one peer, or to all of them (None)."""
        self.arbiter: Arbiter | None = None
        """None where fencing is off; then exclusive services wait for nothing but the lease."""
        if config.stonith is not None and config.stonith.enabled and ports.power is not None:
            from . import arbiter

            self.arbiter = arbiter.Arbiter(
                node_id,
                names,
                votes=votes,
                stonith=config.stonith,
                power=ports.power,
                clock=ports.clock,
                log=ports.log,
                send=send,
            )
        self.permitted = self.arbiter is None

    def follow(self, outlook: Outlook, *, wants: bool, stopped: bool) -> bool:
        """Tell the arbiter where this node stands; True when something else is permitted than before."""
        if self.arbiter is None:
            return False
        self.arbiter.stand(outlook, wants=wants, stopped=stopped)
        before, self.permitted = self.permitted, self.arbiter.permitted
        return before != self.permitted

    def voters_changed(self, groups: Sequence[Mapping[int, int]]) -> None:
        """Claims are voted on by other nodes from now on."""
        if self.arbiter is not None:
            self.arbiter.voters_changed(groups)

    def configure(self, names: Mapping[int, str], config: Config) -> None:
        """The cluster has these nodes, and this configuration, from now on."""
        if self.arbiter is not None and config.stonith is not None:
            self.arbiter.configure(names, config.stonith)
