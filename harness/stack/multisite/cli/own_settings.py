"""The settings of this machine, for commands that run on it."""

from pathlib import Path

from ..settings.load import ConfigError, Settings, load
from .failed import CommandFailed


def own_settings(path: Path) -> Settings:
    """What the file says. Raises CommandFailed."""
    try:
        return load(path)
    except ConfigError as error:
        raise CommandFailed(str(error)) from error
