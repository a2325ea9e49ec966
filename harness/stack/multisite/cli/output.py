"""What a person reads."""

import sys


def say(line: str) -> None:
    """One line for the output."""
    sys.stdout.write(line + "\n")


def complain(line: str) -> None:
    """One line beside the output."""
    sys.stderr.write(line + "\n")
