"""A room with a network, a /run and tables of its own, in which a server's programs are executed for real."""

import subprocess
from importlib.resources import files
from pathlib import Path

from harness.stack.dataservices import base
from tests.stack.sfha.kernel.kernel_rooms import Room

PROGRAMS = Path(str(files(base)))
_ALONE = 'mount --make-rprivate / && mount --bind "$0" /run && exec "$@"'


def run_in(room: Room, run: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """A command in the room; ``run`` is its /run."""
    words = ["unshare", "--mount", "sh", "-c", _ALONE, str(run), *command]
    return room.call(lambda: subprocess.run(words, capture_output=True, text=True, check=False))
