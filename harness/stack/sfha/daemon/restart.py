"""Starting the daemon anew in place: same process id, new program, so that whoever supervises it need not know."""

import os
import sys
from pathlib import Path

ANSWER_FIRST_S = 0.05
"""Whoever asked for the restart gets the answer first."""


def execute_again() -> None:
    """Become the program that is installed now; does not return. Descriptors close by themselves: all are O_CLOEXEC."""
    for descriptor in (sys.stdout, sys.stderr):
        descriptor.flush()
    # The script by its own name, as at the first start: processes are listed under the name of what was executed.
    for index, word in enumerate(sys.orig_argv[1:], start=1):
        if not word.startswith("-") and os.access(word, os.X_OK) and Path(word).is_file():
            os.execv(word, sys.orig_argv[index:])
    os.execv(sys.executable, sys.orig_argv)
