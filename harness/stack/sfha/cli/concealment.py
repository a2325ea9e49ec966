"""Keeping tokens out of process lists: a word of the command line is blotted out once it has been read."""

import ctypes
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

SECRET_BEGINNINGS = ("sfha-join://", "sfha-reply://")
ARG_START, ARG_END = 47, 48
"""Fields of /proc/PID/stat (proc(5)), counted from 0: where the kernel reads what it shows as the command line."""


def conceal(arguments: Sequence[str]) -> None:
    """Blot out every token among the arguments in what /proc/self/cmdline shows. Does nothing where it cannot."""
    secrets = [os.fsencode(word) for word in arguments if word.startswith(SECRET_BEGINNINGS)]
    if not secrets:
        return
    with suppress(OSError, ValueError, IndexError):
        after_name = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()
        start, end = int(after_name[ARG_START - 2]), int(after_name[ARG_END - 2])
        shown = Path("/proc/self/cmdline").read_bytes()
        if not 0 < len(shown) <= end - start:
            return
        for secret in secrets:
            place = shown.find(secret)
            if place >= 0:
                ctypes.memset(start + place, ord("x"), len(secret))
