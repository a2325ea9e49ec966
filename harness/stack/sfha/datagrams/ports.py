"""How datagrams are sent."""

from typing import Protocol


class Messenger(Protocol):
    """Sends datagrams to the other daemons; they may be lost."""

    def send(self, to: int | None, datagram: bytes) -> None: ...
