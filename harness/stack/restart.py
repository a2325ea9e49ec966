"""Starting the daemon anew in place: same process id, new program, so that whoever supervises it need not know."""

import os
import sys

ANSWER_FIRST_S = 0.05
"""Whoever asked for the restart gets the answer first."""


def execute_again() -> None:
    """Become the program that is installed now; does not return. Descriptors close by themselves: all are O_CLOEXEC."""
    for descriptor in (sys.stdout, sys.stderr):
        descriptor.flush()
    script = sys.argv[0]
    if os.access(script, os.X_OK) and not script.endswith(".py"):
        os.execv(script, [script, *sys.argv[1:]])
    os.execv(sys.executable, sys.orig_argv)
