"""What a person reads."""

import sys


def say(line: str) -> None:
    """One line for the output."""
    sys.stdout.write(line + "\n")
