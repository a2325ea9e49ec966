"""The settings of the daemon, for commands that do by hand what it does by itself."""

from pathlib import Path
from typing import TYPE_CHECKING

from .errors import CommandFailed

if TYPE_CHECKING:
    from ..daemon.settings import Settings

CONFIG = Path("/etc/mfs-autonomy/config.yml")


def settings_of(given: Path | None) -> "Settings":
    """Raises CommandFailed."""
    # What a command does not need is not loaded for it, and need not be installed.
    try:
        from ...kit.settings import ConfigError
        from ..daemon.settings import load
    except ImportError as error:
        raise CommandFailed(f"reading settings needs more ({error.name}): apt-get install python3-yaml") from error
    try:
        return load(given or CONFIG, must_be_there=given is not None)
    except ConfigError as error:
        raise CommandFailed(str(error)) from error
