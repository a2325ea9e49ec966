"""Where the runs of a pytest session are stored: one directory a session, and in it one a scenario's try."""

import os
from pathlib import Path

import pytest

from harness.stored import claim

SESSION_VARIABLE = "HARNESS_SESSION"
RUN_DIRECTORY = pytest.StashKey[Path]()
"""The directory of an item's present try."""


def session_directory(config: pytest.Config) -> Path:
    """Where this session's runs go, one directory a scenario."""
    runs: Path = config.option.harness_runs
    base = runs if runs.is_absolute() else config.rootpath / runs
    return base / os.environ[SESSION_VARIABLE]


def run_directory_for(item: pytest.Item) -> Path:
    """A new directory for the run that is about to be made of a scenario; each try has one of its own."""
    item.stash[RUN_DIRECTORY] = claim(session_directory(item.config), item.nodeid)
    return item.stash[RUN_DIRECTORY]
