"""Where this host keeps what it knows."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """Where this host keeps what it knows of mappings."""

    state: Path
    """Outlives a power cut: records of mappings, journals of moves."""
    run: Path
    """Locks, sockets, and a link for each mapped volume."""

    @property
    def mappings(self) -> Path:
        """Records, a file a volume."""
        return self.state / "mappings"

    @property
    def routes(self) -> Path:
        """How each volume is reached."""
        return self.state / "routes"

    @property
    def journals(self) -> Path:
        """Of moves, a file each."""
        return self.state / "moves"

    @property
    def migrations(self) -> Path:
        """Of guests, a file each."""
        return self.state / "migrations"

    @property
    def links(self) -> Path:
        """A link a volume."""
        return self.run / "volumes"
