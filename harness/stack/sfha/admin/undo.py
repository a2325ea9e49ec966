"""Taking back what a command has begun, when it fails: everything is as it was, and the command can be called again."""

from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ...kit.durable import write_durably
from ..membership import corosync, survey
from ..mesh import wireguard
from ..wall import wall
from .daemon_start import stop_daemon


class Undo:
    """A context; what it was told of is taken back when the context ends with an exception, unless ``settled``."""

    def __init__(self) -> None:
        self._before: dict[Path, tuple[bytes, int] | None] = {}
        self._interface = ""
        self._daemon = False
        self.settled = False

    def keep(self, *paths: Path) -> None:
        """Remember these files as they are. Raises OSError."""
        for path in paths:
            try:
                self._before.setdefault(path, (path.read_bytes(), path.stat().st_mode & 0o7777))
            except FileNotFoundError:
                self._before.setdefault(path, None)

    def tunnel(self, interface: str) -> None:
        """The interface is made by this command."""
        self._interface = interface

    def daemon(self) -> None:
        """The daemon, and by it Corosync, are started by this command."""
        self._daemon = True

    def __enter__(self) -> "Undo":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is not None and not self.settled:
            self.take_back()

    def take_back(self) -> None:
        """As it was. What cannot be taken back must not hide why it had to be."""
        if self._daemon:
            stop_daemon()
            if corosync.running() and survey.look(thorough=False).ours_runs:
                with suppress(corosync.CorosyncError):
                    corosync.stop()
        if self._interface:
            with suppress(wireguard.WireGuardError):
                wireguard.take_down(self._interface)
            wall.remove()
        for path, before in self._before.items():
            with suppress(OSError):
                if before is None:
                    path.unlink(missing_ok=True)
                else:
                    write_durably(path, *before)
