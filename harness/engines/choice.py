"""The engines by name."""

from harness.engines.engine import Engine
from harness.engines.local import LocalEngine
from harness.errors import UsageError
from harness.rundir import RunDirectory

ENGINES = ("local",)


def engine_for(name: str, run: RunDirectory) -> Engine:
    """The engine of this name, for the nodes of one run."""
    if name != LocalEngine.name:
        raise UsageError(f"there is no engine {name!r}; allowed: {', '.join(ENGINES)}")
    return LocalEngine(run)
