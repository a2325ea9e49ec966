"""What can take a node's power, as the rest sees it."""

from typing import Literal, Protocol

Power = Literal["on", "off"]


class ProviderError(Exception):
    """The provider cannot be reached, or refused; the message is one line, without any secret."""


class Provider(Protocol):
    """Switches the power of nodes by name. Every verb raises ProviderError."""

    def power_off(self, node: str) -> None:
        """Take the power at once, without asking the node. A node that is off already is no error."""

    def power_on(self, node: str) -> None:
        """Give power. A node that is on already is no error."""

    def power(self, node: str) -> Power:
        """Whether the node has power."""
