"""Defects that take several faults: each is brought out by the smallest plan that does, and caught.

The plans are kept as they are: what a seed draws is another plan as soon as there is another fault. No single fault of
one would bring its defect out; that is shown without nodes (tests/subjects/sfha/planted).
"""

import pytest

from fixtures.marks import caught_by, nightly, software, topology
from harness.chaos.performing import Performing
from harness.subjects.sfha.planted.defects import PLANTED

EVERY_CHANGE = ("plugged-asleep", "deaths-apart")
"""These are short, and caught by different checks; the others are nightly."""


def _marks(name: str) -> list[pytest.MarkDecorator]:
    marks = [
        software("sfha-planted", "etcd", planted=name),
        pytest.mark.plan(f"planted/{name}.json"),
        caught_by(PLANTED[name].damage.caught_by[0]),
    ]
    if name == "set-back-alone":
        marks.append(topology("one-own-kernel"))  # a node that shares the host's kernel has its clock
    return marks if name in EVERY_CHANGE else [*marks, nightly]


@pytest.mark.parametrize("defect", [pytest.param(name, marks=_marks(name), id=name) for name in PLANTED])
async def test_sabotage_by_several_faults_together(defect: str, performing: Performing) -> None:
    """What one of its nodes does when they have come together, harness.subjects.sfha.planted says."""
    await performing.perform()
