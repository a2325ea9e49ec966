"""Debian packages that an engine needs, installed without starting what comes with them."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import HostError
from harness.images.progress import Progress
from harness.rundir import cache_directory

LOG_LINES = 8
_LOOK_EVERY_S = 0.1
# In a private mount namespace: what packages would start their services with, now or at the next boot, does nothing.
_INSTALL = """set -eu
for starter in /usr/sbin/invoke-rc.d /usr/sbin/update-rc.d /usr/bin/deb-systemd-invoke /usr/bin/deb-systemd-helper; do
    [ ! -e "$starter" ] || mount --bind /bin/true "$starter"
done
exec apt-get -o DPkg::Lock::Timeout=300 -y --no-install-recommends install "$@"
"""


def ensure_packages(engine: str, packages: Sequence[str], *, installed: bool, say: Callable[[str], None]) -> None:
    """Install what an engine needs, unless it is there. HostError, with the log's end, on failure."""
    if os.geteuid() != 0:
        raise HostError(f"installing packages needs root: sudo harness engine install {engine}")
    if shutil.which("apt-get") is None:
        raise HostError(f"this is no Debian (no apt-get); install {' '.join(packages)} yourself")
    if installed:
        say(f"{engine} is installed already")
        return
    log = cache_directory() / "engines" / f"install-{engine}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    if _apt(packages, log) != 0:
        # Package lists that are absent or too old are the usual reason.
        subprocess.run(["apt-get", "-o", "DPkg::Lock::Timeout=300", "update"], stdout=subprocess.DEVNULL, check=False)
        if _apt(packages, log) != 0:
            words = "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-LOG_LINES:])
            raise HostError(f"installing {' '.join(packages)} failed:\n{words}\n    (whole log: {log})")


def _apt(packages: Sequence[str], log: Path) -> int:
    progress = Progress(f"installing {' '.join(packages)} (no service is started)")
    isolated = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", _INSTALL, "sh"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*isolated, *packages],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l"},
        )
    while process.poll() is None:
        lines = log.read_text(errors="replace").splitlines()
        progress.at(lines[-1][:60] if lines else "")
        time.sleep(_LOOK_EVERY_S)
    progress.done("done" if process.returncode == 0 else "failed")
    return process.returncode
