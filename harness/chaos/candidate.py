"""One run of a plan on a cluster of the same make as that of a stored run: a process of its own, for shrinking.

``python -m harness.chaos.candidate RUN PLAN DIRECTORY``; what came of it is in the directory.
"""

import sys
from pathlib import Path

from harness.chaos.designing import design, started_of
from harness.chaos.session import perform
from harness.design import ClusterDesign
from harness.history import History
from harness.judge import exit_code
from harness.plans.plan import from_json
from harness.topology import Topology


def same_make(
    run: Path, directory: Path, *, what: str, engine: str | None = None, image: str | None = None
) -> ClusterDesign:
    """The design of a stored run's cluster, for a new run in a directory. Raises UsageError."""
    started = started_of(History.read(run), str(run))
    return design(
        Topology.from_json(started.topology),
        {name: dict(settings) for name, settings in started.software.items()},
        engine=engine or started.engine,
        image=image,
        seed=started.seed,
        scenario=f"{what} {started.scenario}",
        run_directory=directory,
    )


def main(run: Path, plan_file: Path, directory: Path) -> int:
    """Perform it, and give the exit code of its verdict."""
    plan = from_json(plan_file.read_bytes(), str(plan_file))
    made = same_make(run, directory, what="a candidate for")
    ruling = perform(made, plan, say=lambda _text: None, at_least=len(plan.steps))
    return exit_code(ruling.verdicts)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
