"""One run of a plan from its cluster's start to the verdict, and where it is stored."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from harness.admission import admitted, host_capacity
from harness.chaos.performing import Performing
from harness.cluster import Cluster
from harness.design import ClusterDesign
from harness.engines.choice import places_of
from harness.plans.plan import Plan, to_json
from harness.scenario import BODY_LIMIT_S, Ruling, judge_run, record_scenario
from harness.stored import claim

PLAN_FILE = "plan.json"
RUNS = Path("reports/runs")


def run_directory(runs: Path, name: str) -> Path:
    """A new directory for one run, in that of today's session."""
    return claim(runs / time.strftime("chaos-%Y%m%d"), name)


def perform(
    design: ClusterDesign, plan: Plan, *, say: Callable[[str], None], at_least: int = 1, keep_on_failure: bool = False
) -> Ruling:
    """Perform a plan on a new cluster of this design, end the cluster, and judge the run. The plan is stored with it.

    Raises UsageError for a plan that is not sound there: before anything has begun; and what is a mistake of ours.
    """
    cluster = Cluster(design)
    performing = Performing(cluster, plan, at_least=at_least)
    (design.run_directory / PLAN_FILE).write_text(to_json(plan), encoding="utf-8")
    places = host_capacity()
    with admitted(places_of(design.engines.values()), places, lambda: say("waiting until other clusters leave room")):
        ending = asyncio.run(
            record_scenario(
                cluster,
                performing.perform,
                keep_on_failure=keep_on_failure,
                limit_s=plan.length_s + plan.end.within_s + BODY_LIMIT_S,
                progress=say,
            )
        )
    ruling = judge_run(design.run_directory)
    if ending.mistake is not None:  # ours, and nothing that the product did
        raise ending.mistake
    return ruling
