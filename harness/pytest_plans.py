"""Plans of faults in a suite: each scenario that asks for ``performing`` performs one that is drawn, or its own.

Drawn plans are as many as --plans says, from --seed, one generator after the other; a scenario under the mark
``plan`` has its own, in a file beside it; so has each case of one that is parametrized with such marks. A fixture
called ``plan`` in the suite draws others.
"""

from collections.abc import Sequence

import pytest

from harness.chaos.offered import chosen
from harness.chaos.performing import Performing
from harness.chaos.session import PLAN_FILE
from harness.cluster import Cluster
from harness.errors import UsageError
from harness.plans.drawing import Setting
from harness.plans.generators import GENERATORS, generate
from harness.plans.plan import LoadOf, Plan, from_json, to_json

PLAN_NUMBER = "plan_number"
PLANS_BY_DEFAULT = 2
LENGTH_S = 20.0
"""A plan of a suite is short: many short ones find more than a long one."""
WITHIN_S = 30.0
_RATE_PER_S = 50.0
_GENERATORS = ("by-role", "storm", "windows", "uniform", "staircase", "rolling")
assert sorted(_GENERATORS) == sorted(GENERATORS)


def has_own_plan(definition: pytest.Item) -> bool:
    """Whether a scenario, or any of its cases, is under the mark ``plan``."""
    parametrized = definition.iter_markers("parametrize")
    given = (several for mark in parametrized for several in (*mark.args[1:2], mark.kwargs.get("argvalues")))
    cases = (case for several in given if isinstance(several, Sequence) for case in several)
    marks = (mark for case in cases for mark in getattr(case, "marks", ()))
    return definition.get_closest_marker("plan") is not None or any(mark.name == "plan" for mark in marks)


@pytest.fixture
def plan_number() -> int:
    """Which of the plans that are drawn from the seed; parametrized by the plugin."""
    return 0


@pytest.fixture
def plan(request: pytest.FixtureRequest, cluster: Cluster, plan_number: int) -> Plan:
    """The scenario's own plan, or one that is drawn for its cluster."""
    if mark := request.node.get_closest_marker("plan"):
        file = request.path.parent / str(mark.args[0])
        if not file.is_file():
            raise UsageError(f"{file}: there is no such plan")
        return from_json(file.read_bytes(), str(file))
    has_ledger = cluster.topology.vips and any("ledger" in one.models for one in cluster.design.subjects)
    setting = Setting(
        topology=cluster.topology,
        topology_name=cluster.topology.name,
        engine=cluster.design.engine,
        offers=chosen(()),
        length_s=LENGTH_S,
        within_s=WITHIN_S,
        loads=(LoadOf("ledger", _RATE_PER_S),) if has_ledger else (),
        liveness=plan_number % 2 == 1,
    )
    generator = _GENERATORS[plan_number % len(_GENERATORS)]
    return generate(generator, cluster.design.seed + plan_number, setting)


@pytest.fixture
def performing(request: pytest.FixtureRequest, cluster: Cluster, plan: Plan) -> Performing:
    """The plan, on the scenario's cluster: ``await performing.perform()``. It is stored with the run."""
    (cluster.run_directory / PLAN_FILE).write_text(to_json(plan), encoding="utf-8")
    own = request.node.get_closest_marker("plan") is not None
    return Performing(cluster, plan, at_least=len(plan.steps) if own else 1)
