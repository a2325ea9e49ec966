"""An interface, as far as virtual addresses are concerned."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """An interface: its number, whether it was set up, and whether what it is plugged into is there."""

    index: int
    up: bool = True
    carrier: bool = True
