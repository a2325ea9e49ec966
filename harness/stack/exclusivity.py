"""What must never be on two nodes at a time: whether it may be on this one. Where fencing is on, the sentry says so."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .config import Config
from .fencing.standing import Standing
from .ports import Ports

if TYPE_CHECKING:
    from .fencing_wire import FencingMessage
    from .sentry import Sentry


class Exclusivity:
    """The sentry of a node, where it has one. ``permitted``: nothing else is to be waited for."""

    def __init__(
        self, node_id: int, names: Mapping[int, str], votes: Mapping[int, int], config: Config, ports: Ports
    ) -> None:
        self.sentry: Sentry | None = None
        """None where fencing is off; then exclusive services wait for nothing but the lease."""
        self._ports = ports
        if config.stonith is not None and config.stonith.enabled and ports.power is not None:
            from . import sentry

            self.sentry = sentry.Sentry(
                node_id,
                names,
                votes=votes,
                stonith=config.stonith,
                power=ports.power,
                clock=ports.clock,
                log=ports.log,
                send=self._send,
            )
        self.permitted = self.sentry is None

    def follow(self, standing: Standing, *, wants: bool, stopped: bool) -> bool:
        """Tell the sentry where this node stands; True when something else is permitted than before."""
        if self.sentry is None:
            return False
        self.sentry.stand(standing, wants=wants, stopped=stopped)
        before, self.permitted = self.permitted, self.sentry.permitted
        return before != self.permitted

    def voters_changed(self, groups: Sequence[Mapping[int, int]]) -> None:
        """Claims are voted on by other nodes from now on."""
        if self.sentry is not None:
            self.sentry.voters_changed(groups)

    def configure(self, names: Mapping[int, str], config: Config) -> None:
        """The cluster has these nodes, and this configuration, from now on."""
        if self.sentry is not None and config.stonith is not None:
            self.sentry.configure(names, config.stonith)

    def _send(self, to: int | None, message: "FencingMessage") -> None:
        from . import fencing_wire

        self._ports.messenger.send(to, fencing_wire.encode(message))
