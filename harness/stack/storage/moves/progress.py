"""How far something is, how quick, and how long it will take. Pure."""

from dataclasses import dataclass

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True)
class Progress:
    """So much of so much, after so many seconds."""

    what: str
    done_bytes: int
    total_bytes: int
    elapsed_s: float

    @property
    def rate_bytes_s(self) -> float:
        """Bytes a second since the start; 0 before anything is known."""
        return self.done_bytes / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """How long it takes at that rate; None while that cannot be told."""
        rate = self.rate_bytes_s
        return (self.total_bytes - self.done_bytes) / rate if rate > 0 else None

    def said(self) -> str:
        """One line."""
        share = 100 * self.done_bytes // self.total_bytes if self.total_bytes else 100
        left = "" if self.left_s is None else f", {self.left_s:.0f} s left"
        amount = f"{size(self.done_bytes)} of {size(self.total_bytes)}"
        return f"{self.what}: {share} % ({amount}), {size(self.rate_bytes_s)}/s{left}"


def size(amount: float) -> str:
    """Bytes in the largest unit that leaves a number above one."""
    for unit in _UNITS[:-1]:
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} {_UNITS[-1]}"
