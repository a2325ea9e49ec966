"""A term of leading: when services may run, and how it ends in good order. Pure."""

RUN_ON_S = 1.0
"""How long services go on while their leader is without its lease; exclusive ones have a claim of their own."""


class Term:
    """What one node knows of its present term."""

    def __init__(self) -> None:
        self._until_s: float | None = None
        self._runs = False
        self._ran_s = float("-inf")
        self._ran_with: frozenset[str] = frozenset()

    @property
    def ending(self) -> bool:
        """Whether everything is being handed over."""
        return self._until_s is not None

    def draining(self, now_s: float) -> bool:
        """Whether to go on leading until services are stopped: there is an end to it."""
        return self._until_s is not None and now_s < self._until_s

    def hand_over(self, wanted: bool, patience_s: float, now_s: float) -> bool:
        """Begin to hand over, go on with it, or (not ``wanted``) be done with it; True when it begins."""
        begins = wanted and self._until_s is None
        if not wanted:
            self._until_s = None
        elif begins:
            self._until_s = now_s + patience_s
        return begins

    def may_run(self, *, held: bool, leads: bool, settled: bool, up: frozenset[str], now_s: float) -> bool:
        """Where the lease is held, and for a moment after a hiccup: who still leads gets it back at once.

        ``settled``: every address is up, or is known not to come up; before, no service starts.
        """
        self._runs = held and settled
        if self._runs:
            self._ran_s, self._ran_with = now_s, up
            return not self.ending
        return not self.ending and now_s < self._ran_s + RUN_ON_S and (held or leads)

    def goes_on(self, now_s: float) -> None:
        """Nothing has changed since ``may_run`` was asked."""
        if self._runs:
            self._ran_s = now_s

    def up(self, *, held: bool, up: frozenset[str]) -> frozenset[str]:
        """The addresses that services may count on: those that are up, or are about to be again."""
        return up if held else up | self._ran_with

    def wake_s(self, *, busy: bool, held: bool, now_s: float) -> float | None:
        """When the answers change by themselves."""
        if self._until_s is not None:
            return self._until_s
        runs_on_s = self._ran_s + RUN_ON_S
        return runs_on_s if busy and not held and now_s < runs_on_s else None
