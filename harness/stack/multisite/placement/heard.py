"""What machines said last and when, how long things have been as they are, and who has a lease. Pure.

All of it is kept in memory: whoever starts anew knows nothing, and takes everybody for just heard and every lease for
just given, which is the careful side of both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..inventory.reports import Report, Running
from .core import Phase, Rules


@dataclass(frozen=True, slots=True)
class Patience:
    """After how much silence a machine counts as lost; how long a lease is, and what is added to it before somebody
    else may begin."""

    silent_s: float
    lease_s: float
    margin_s: float


@dataclass(frozen=True, slots=True)
class Pace:
    """All times of placement."""

    rules: Rules
    patience: Patience


@dataclass(slots=True)
class _Said:
    heard_s: float
    granted_s: float
    containers: Mapping[int, Running] | None = None


@dataclass(slots=True)
class Heard:
    """Told of reports and of what becomes of replicas, it knows ages."""

    patience: Patience
    begun_s: float
    _machines: dict[str, _Said] = field(default_factory=dict)
    _phases: dict[int, tuple[Phase, float]] = field(default_factory=dict)
    _ailing: dict[int, float] = field(default_factory=dict)

    def report(self, machine: str, report: Report, now_s: float, *, leased: bool) -> None:
        """A machine has spoken; ``leased``: it is told that it may go on with what is exclusive."""
        said = self._said(machine)
        said.heard_s = now_s
        said.containers = {one.replica: one for one in report.containers if one.replica is not None}
        if leased:
            said.granted_s = now_s

    def deaf_until(self, now_s: float) -> None:
        """Nobody could be heard until now, by our own fault: silence counts from here."""
        self.begun_s = now_s
        for said in self._machines.values():
            said.heard_s = max(said.heard_s, now_s)
            # Somebody else may have told it that it may go on, up to now.
            said.granted_s = max(said.granted_s, now_s)

    def alive(self, machine: str, now_s: float) -> bool:
        """Whether it was heard lately."""
        return now_s - self._said(machine).heard_s < self.patience.silent_s

    def silent_s(self, machine: str, now_s: float) -> float:
        """For how long it has not been heard."""
        return now_s - self._said(machine).heard_s

    def lease_over(self, machine: str, now_s: float) -> bool:
        """Whether its agent has ended what is exclusive by now, wherever it is."""
        return now_s - self._said(machine).granted_s > self.patience.lease_s + self.patience.margin_s

    def container(self, machine: str, replica: int) -> Running | None:
        """What a machine said of a replica last; None where there is none."""
        return (self._said(machine).containers or {}).get(replica)

    def gone(self, machine: str, replica: int) -> bool:
        """Whether the machine has said that it has no such container."""
        containers = self._said(machine).containers
        return containers is not None and replica not in containers

    def phase_age_s(self, replica: int, phase: Phase, now_s: float) -> float:
        """How long it has been in that phase, as far as we know."""
        before = self._phases.get(replica)
        if before is None or before[0] is not phase:
            before = self._phases[replica] = (phase, now_s)
        return now_s - before[1]

    def ailing_s(self, replica: int, now_s: float, *, well: bool) -> float:
        """How long it has not been well; 0 if it is."""
        if well:
            self._ailing.pop(replica, None)
            return 0.0
        return max(1e-6, now_s - self._ailing.setdefault(replica, now_s))

    def only(self, replicas: Iterable[int]) -> None:
        """Forget all others."""
        kept = set(replicas)
        for of in (self._phases, self._ailing):
            for number in [one for one in of if one not in kept]:
                del of[number]

    def _said(self, machine: str) -> _Said:
        return self._machines.setdefault(machine, _Said(self.begun_s, self.begun_s))
