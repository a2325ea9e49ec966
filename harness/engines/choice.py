"""The engines by name."""

from collections.abc import Iterable, Mapping

from harness.engines.daemons import Kind, chosen_daemon, why_not
from harness.engines.engine import Engine
from harness.engines.hosted import HostedEngine
from harness.engines.local import LocalEngine
from harness.engines.mixed import MixedEngine
from harness.engines.uml import kernel
from harness.errors import HostError, UsageError
from harness.rundir import RunDirectory

UNPRIVILEGED = "lxd-unprivileged"
DAEMONS: dict[str, Kind] = {"docker": "docker", "lxd": "lxd", UNPRIVILEGED: "lxd"}
"""The daemon that each engine which has one needs."""
ENGINES = (LocalEngine.name, *DAEMONS, kernel.NAME)


def engine_of_nodes(chosen: Mapping[str, str], run: RunDirectory) -> Engine:
    """The engine for a run whose nodes are each on the engine of a name. HostError when one cannot be used here."""
    engines = {name: engine_for(name, run) for name in dict.fromkeys(chosen.values())}
    if len(engines) == 1:
        return next(iter(engines.values()))
    return MixedEngine({node: engines[name] for node, name in chosen.items()})


def engine_for(name: str, run: RunDirectory) -> Engine:
    """The engine of this name, for the nodes of one run. HostError when it cannot be used here, saying why."""
    if reason := why_unusable(name):
        raise HostError(reason)
    if name == LocalEngine.name:
        return LocalEngine(run)
    if name == kernel.NAME:
        from harness.engines.uml.engine import UmlEngine

        return UmlEngine(run)
    daemon = chosen_daemon(DAEMONS[name])
    if name == "docker":
        from harness.engines.docker import DockerContainers

        return HostedEngine(run, DockerContainers(run.run_id, daemon))
    from harness.engines.lxd import LxdContainers

    return HostedEngine(run, LxdContainers(run.run_id, daemon, privileged=name != UNPRIVILEGED))


def loses_unsynced_writes(name: str) -> bool:
    """What the engine of this name declares of its power cuts (see :class:`harness.engines.engine.Engine`)."""
    if name == kernel.NAME:
        from harness.engines.uml.engine import UmlEngine

        return UmlEngine.loses_unsynced_writes
    return LocalEngine.loses_unsynced_writes if name == LocalEngine.name else HostedEngine.loses_unsynced_writes


def has_own_kernels(name: str) -> bool:
    """Whether nodes of the engine of this name have kernels of their own."""
    return name == kernel.NAME


def places_of(names: Iterable[str]) -> int:
    """How many of a host's places (:mod:`harness.admission`) nodes of these engines take: one with a kernel of its own
    computes as much as two others."""
    return sum(2 if has_own_kernels(name) else 1 for name in names)


def why_no_gate(name: str) -> str | None:
    """What keeps nodes of the engine of this name from having their kernel guard addresses; None when nothing does."""
    return kernel.why_no_gate() if name == kernel.NAME else None


def why_unusable(name: str) -> str | None:
    """What keeps the engine of this name from being used on this host and how to get it; None when nothing does."""
    if name not in ENGINES:
        raise UsageError(f"there is no engine {name!r}; allowed: {', '.join(ENGINES)}")
    if name == LocalEngine.name:
        return None
    if name == kernel.NAME:
        return kernel.why_not()
    return why_not(DAEMONS[name])
