"""The edge's certificates and what signs them: files of Caddy's storage, which the leader gives to the other edges.

Caddy looks into its storage before it asks for a certificate, so that several can share one
(caddyserver.com/docs/automatic-https#storage).
"""

import base64
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from ...kit.durable import write_durably
from .messages import MOST_BYTES, StoredFile

Stamp = frozenset[tuple[str, int]]
"""Names of files, and when each was written (nanoseconds)."""
FOLDERS = ("certificates", "pki", "acme")
OWN_AUTHORITY = tuple(
    f"pki/authorities/local/{name}" for name in ("root.crt", "root.key", "intermediate.crt", "intermediate.key")
)


class Certificates:
    """Those of one edge, in its storage."""

    def __init__(self, storage: Path, tls: str) -> None:
        self._storage, self._tls = storage, tls

    def are_there(self) -> bool:
        """Whether an edge that is configured now finds what another one has, and makes nothing of its own."""
        if self._tls == "none":
            return True
        if self._tls == "internal":
            return all((self._storage / one).is_file() for one in OWN_AUTHORITY)
        return any(self._storage.glob("certificates/**/*.crt"))

    def stamp(self) -> Stamp:
        """Another one as soon as any of them is; costs a look at each, and reads none."""
        return frozenset((name, seen.st_mtime_ns) for name, _, seen in self._files())

    def read(self) -> dict[str, StoredFile]:
        """All of them. What comes and goes meanwhile is read the next time."""
        found: dict[str, StoredFile] = {}
        for name, path, seen in self._files():
            with suppress(OSError):
                content = base64.b64encode(path.read_bytes()).decode()
                found[name] = StoredFile(content=content, written_ns=seen.st_mtime_ns)
        return found

    def _files(self) -> Iterator[tuple[str, Path, os.stat_result]]:
        for folder in FOLDERS:
            for path in sorted((self._storage / folder).rglob("*")):
                with suppress(OSError):
                    seen = path.stat()
                    if stat.S_ISREG(seen.st_mode) and seen.st_size <= MOST_BYTES:
                        yield str(path.relative_to(self._storage)), path, seen

    def write(self, files: Mapping[str, StoredFile]) -> bool:
        """Take those that are newer than what is there; whether there were any. Raises OSError."""
        taken = False
        for name, one in files.items():
            path, content = self._storage / name, base64.b64decode(one.content)
            if _written_ns(path) >= one.written_ns:
                continue
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_durably(path, content)
            os.utime(path, ns=(one.written_ns, one.written_ns))
            taken = True
        return taken


def _written_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1
