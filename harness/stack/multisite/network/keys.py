"""The private key of this machine and the next one, in a file that nobody else reads; they never leave it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ...kit import wireguard
from ...kit.durable import write_durably
from ...kit.wireguard import WireGuardError

SECRET = 0o600


@dataclass(frozen=True, slots=True)
class Pair:
    """``private`` is not shown by whoever prints a pair."""

    private: str
    public: str
    generation: int
    since_s: float

    def __repr__(self) -> str:
        return f"Pair({self.public}, {self.generation})"


class Keys:
    """``now`` is in use, ``next`` is made and not yet in use."""

    def __init__(self, path: Path, now_s: float) -> None:
        """Read them, or make the first one. Raises WireGuardError."""
        self._path = path
        self.next: Pair | None = None
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            self.now = Pair(**stored["now"])
            self.next = Pair(**stored["next"]) if stored["next"] else None
        except FileNotFoundError:
            self.now = _made(1, now_s)
            self._write()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WireGuardError(f"{path} does not hold keys: {type(error).__name__}") from error

    def prepare(self, generation: int, now_s: float) -> None:
        """Make the next one. Raises WireGuardError."""
        self.next = _made(generation, now_s)
        self._write()

    def change(self, now_s: float) -> None:
        """The next one is in use from now on; the one before is forgotten. Raises WireGuardError."""
        assert self.next is not None
        self.now, self.next = Pair(self.next.private, self.next.public, self.next.generation, now_s), None
        self._write()

    def _write(self) -> None:
        content = {"now": asdict(self.now), "next": asdict(self.next) if self.next else None}
        try:
            write_durably(self._path, json.dumps(content), SECRET)
        except OSError as error:
            raise WireGuardError(f"{self._path} cannot be written: {error.strerror}") from error


def _made(generation: int, now_s: float) -> Pair:
    private = wireguard.new_private_key()
    return Pair(private, wireguard.public_key_of(private), generation, now_s)
