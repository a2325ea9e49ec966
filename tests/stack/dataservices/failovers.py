"""What the tests of all failovers ask of a plan."""

from harness.stack.dataservices.plan.core import Command, Plan


def killed_by(plan: Plan) -> set[str]:
    """The servers whose programs a plan kills."""
    return {
        name
        for stage in plan.stages
        for name, does in stage.actions.items()
        for one in does
        if isinstance(one, Command) and "--signal=KILL" in one.command
    }
