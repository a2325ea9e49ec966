"""nbdkit(1): one server for each index, on a socket of its own, which serves one file to one client at a time."""

from collections.abc import Sequence
from pathlib import Path

from ...mounts import mount_of
from .commands import command_line, end, run, until


class Nbdkit:
    """The servers whose sockets and process ids are in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def socket(self, index: int) -> Path:
        """Where it listens."""
        return self._folder / f"nbdkit-{index}.sock"

    def meant_for(self, index: int) -> str | None:
        """The file that the index is for, also when its server died; None where there is none."""
        try:
            return self._file_file(index).read_text()
        except OSError:
            return None

    def file_of(self, index: int) -> str | None:
        """The file that the running server of an index serves; None where none runs."""
        words = command_line(self._pid(index))
        named = [word.removeprefix("file=") for word in words if word.startswith("file=")]
        return named[0] if named and str(self.socket(index)) in words else None

    def pid_of(self, index: int) -> int | None:
        """The running server of an index."""
        return self._pid(index) if self.file_of(index) is not None else None

    def sockets(self) -> list[int]:
        """Indexes for which a socket lies there, whether or not anybody listens."""
        found = (path.name.removeprefix("nbdkit-").removesuffix(".sock") for path in self._folder.glob("nbdkit-*.sock"))
        return sorted(int(number) for number in found if number.isdigit())

    def start(self, index: int, file: Path, keep: Sequence[int]) -> None:
        """Have the index served. Raises AttachTaken and PortFailed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.stop(index)
        self._file_file(index).write_text(str(file))
        # limit=1: a second client would be a second data path. The locks are the launcher's: the server runs on.
        where = ["-U", str(self.socket(index)), "-P", str(self._pid_file(index)), "--filter=limit"]
        # What this host has in its cache of a file that another host writes to is old (a guest that is being migrated).
        cache = ["cache=none"] if mount_of(file).is_remote else []
        run(["nbdkit", *where, "file", f"file={file}", "limit=1", *cache])
        until(self._pid_file(index).exists, f"the server of {file}")

    def stop(self, index: int) -> None:
        """End the server of an index. Idempotent. Raises PortFailed."""
        if (pid := self.pid_of(index)) is not None:
            end(pid, f"the end of the server of index {index}")
        self.socket(index).unlink(missing_ok=True)
        self._pid_file(index).unlink(missing_ok=True)
        self._file_file(index).unlink(missing_ok=True)

    def _file_file(self, index: int) -> Path:
        return self._folder / f"nbdkit-{index}.file"

    def _pid_file(self, index: int) -> Path:
        return self._folder / f"nbdkit-{index}.pid"

    def _pid(self, index: int) -> int:
        try:
            return int(self._pid_file(index).read_text())
        except (OSError, ValueError):
            return -1
