"""The folder of credentials on the installer: 0700, its files 0600, written so that a power cut spoils none."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...kit.durable import write_durably
from .core import Credentials, CredentialsWrong, completed, parse, text_of


@dataclass(frozen=True, slots=True)
class CredentialsFolder:
    """Where they are kept."""

    path: Path

    def ensured(self, wanted: Credentials) -> Mapping[str, str]:
        """The secrets of a module; those that are missing are made and kept.

        Raises CredentialsWrong when the folder or the file is somebody else's, or the file makes no sense.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _ours(self.path)
        self.path.chmod(0o700)
        file = self.path / wanted.file
        text = ""
        if file.exists():
            _ours(file)
            file.chmod(0o600)
            text = file.read_text(encoding="ascii", errors="replace")
        known = parse(text, str(file))
        borrowed = {
            name: value
            for lender in wanted.lenders
            for name, value in self.ensured(lender).items()
            if name in wanted.variables
        }
        values = completed({**known, **borrowed}, wanted, secrets.randbelow)
        if values != known:
            write_durably(file, text_of(values))
        return values

    def kept(self, wanted: Credentials) -> Mapping[str, str]:
        """The secrets of a module as they are; nothing is made. Raises CredentialsWrong where one is missing, too."""
        file = self.path / wanted.file
        known = parse(file.read_text(encoding="ascii", errors="replace") if file.exists() else "", str(file))
        if missing := [name for name in wanted.variables if name not in known]:
            raise CredentialsWrong(f"{file} has no {', '.join(missing)}: it was not installed from here")
        return known


def _ours(path: Path) -> None:
    """Whoever owns a file can read it, whatever its mode says."""
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise CredentialsWrong(
            f"{path} is a link or somebody else's: have it removed, or give it to user {os.geteuid()}"
        )
