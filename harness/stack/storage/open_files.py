"""Who has a file open (proc(5), fd and fdinfo)."""

import os
from pathlib import Path


def writers_of(file: Path) -> list[str]:
    """Processes of this host, as far as they can be seen, that have it open for writing. Raises OSError."""
    wanted, found = file.stat(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            for link in (process / "fd").iterdir():
                at = link.stat()
                if (at.st_dev, at.st_ino) != (wanted.st_dev, wanted.st_ino):
                    continue
                info = (process / "fdinfo" / link.name).read_text()
                if int(info.split("flags:")[1].split()[0], 8) & os.O_ACCMODE:
                    found.append(f"{(process / 'comm').read_text().strip()} (process {process.name})")
        except OSError:  # it has ended, or what it has is none of ours
            continue
    return found
