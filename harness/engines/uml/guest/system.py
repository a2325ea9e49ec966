"""What the rest of this package stands on: the kernel's calls, files, and where things are."""

import ctypes
import os

HOME = "/usr/lib/harness-node"
SETTINGS = f"{HOME}/kernel.settings"
MODULES = f"{HOME}/modules"
"""Where the host shows the kernel's modules."""
WAITS_FOR_CABLE = "/run/harness-cable"
"""A named pipe: the boot script waits for somebody to open it (see boot.sh)."""
libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """What was asked for cannot be done; the message goes back to whoever asked."""


def read_file(path: str) -> str:
    """What is in a file."""
    with open(path) as stream:
        return stream.read()


def write_file(path: str, text: str) -> None:
    """Put this into a file."""
    with open(path, "w") as stream:
        stream.write(text)


def make_directories(path: str) -> None:
    """A directory and those above it; one that exists is fine."""
    os.makedirs(path, exist_ok=True)


def check(result: int, what: str) -> None:
    """Raise OSError for a call of the C library that failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot {what}: {os.strerror(number)}")
