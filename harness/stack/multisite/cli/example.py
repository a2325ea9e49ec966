"""`multisite config-example`."""

import argparse

from ..settings.load import EXAMPLE
from .output import say


def run(_options: argparse.Namespace) -> None:
    """Print it."""
    say(EXAMPLE.rstrip("\n"))
