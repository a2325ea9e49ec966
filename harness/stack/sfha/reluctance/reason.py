"""What a reason is to whoever looks for it."""

from typing import Protocol


class Reason(Protocol):
    """Something about this node, looked at now and then in a thread.

    ``name`` (small letters and dashes, 24 at most) travels in heartbeats. Its sentence is `reluctant.NAME`.
    """

    @property
    def name(self) -> str: ...

    def look(self) -> bool:
        """Whether it is so now; whoever cannot tell says no. It may take its time, and raises nothing."""
