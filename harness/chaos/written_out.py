"""A plan as a scenario: about a dozen lines that fail as it does."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from harness.plans.plan import Plan

_FORM = '''\
"""{about}"""

import pytest

from harness.chaos.performing import Performing
from harness.cluster import Cluster


@pytest.mark.topology("{topology}")
@pytest.mark.software({software})
@pytest.mark.plan("{plan_file}")
async def test_{name}(cluster: Cluster, performing: Performing) -> None:
    """{steps}."""
    await performing.perform()
'''


def scenario(
    plan: Plan, plan_file: str, software: Mapping[str, Mapping[str, Any]], checks: Iterable[str], about: str
) -> str:
    """The text of a test that performs the plan in a file beside it, on a cluster of these subjects."""
    names = ", ".join(f'"{name}"' for name in software)
    settings = "".join(f", {name}={_code(value)}" for name, value in next(iter(software.values()), {}).items())
    return _FORM.format(
        about=about,
        topology=plan.topology,
        software=names + settings,
        plan_file=plan_file,
        name="no_longer_" + min(checks),
        steps="; ".join(str(step) for step in plan.steps),
    )


def _code(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)
