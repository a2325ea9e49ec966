"""What the installer has of these programs: in its folder of packages, or where their makers would install them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ...kit.durable import write_durably
from .core import MINIO, SEAWEEDFS, SETTING, WEED, NotShownHere, Program, SettingsWrong, setting_in, store_of

_BIN = Path("/usr/local/bin")
_PROXYSQL = "proxysql_*.deb"


@dataclass(frozen=True, slots=True)
class Programs:
    """Those that are found from ``home``."""

    home: Path
    bin: Path = _BIN
    """Where MinIO's programs are."""

    @property
    def packages(self) -> Path:
        """The folder that whoever installs puts them into."""
        return self.home / "packages"

    @property
    def setting(self) -> Path:
        """The file that says which store is installed: written at first, and kept."""
        return self.home / "settings" / "objects.env"

    def store(self) -> str:
        """Which store for objects. Raises SettingsWrong, NotShownHere."""
        set_to = None
        if self.setting.exists():
            set_to = setting_in(self.setting.read_text(encoding="ascii", errors="replace"), str(self.setting))
        there = {SEAWEEDFS} if self._wheel.is_file() else set()
        if all(path.is_file() for path in self._minio):
            there.add(MINIO)
        looked_for = f"looked for: {' and '.join(map(str, self._minio))}; {self._wheel}"
        return store_of(set_to, there, looked_for)

    def keep(self, store: str) -> None:
        """It is this store from now on."""
        if not self.setting.exists():
            self.setting.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_durably(self.setting, f"{SETTING}={store}\n")

    def weed(self) -> Program:
        """SeaweedFS's wheel. Raises SettingsWrong when it is another one than the one that was tried."""
        found = _program(self._wheel)
        if found.sha256 != WEED.sha256:
            raise SettingsWrong(f"{self._wheel} is not what PyPI has: SHA-256 {found.sha256}, and not {WEED.sha256}")
        return found

    def minio(self) -> tuple[Program, Program]:
        """MinIO's server, and its client."""
        server, client = map(_program, self._minio)
        return server, client

    def proxysql(self) -> Program:
        """ProxySQL's package. Raises NotShownHere, SettingsWrong."""
        found = sorted(self.packages.glob(_PROXYSQL))
        if not found:
            raise NotShownHere(f"ProxySQL's package is not there (looked for: {self.packages / _PROXYSQL})")
        if len(found) > 1:
            raise SettingsWrong(f"one package of ProxySQL has to be there: {', '.join(map(str, found))}")
        return _program(found[0])

    @property
    def _wheel(self) -> Path:
        return self.packages / WEED.name

    @property
    def _minio(self) -> tuple[Path, Path]:
        return self.bin / "minio", self.bin / "mc"


def _program(path: Path) -> Program:
    with path.open("rb") as file:
        return Program(str(path), hashlib.file_digest(file, "sha256").hexdigest())
