"""Give nodes of a cluster that was left up their power back: ``python -m harness.repower RUN_ID NODE...``.

For the keeper, when whoever cut the power is dead. The keeper waits for us, and so must not be asked for anything.
"""

import asyncio
import sys

from harness.engines.choice import engine_of_nodes
from harness.fabric.fabric import Fabric
from harness.fabric.shaping import Home
from harness.keeper import Keeper
from harness.machines import Machines
from harness.rundir import RunDirectory
from harness.upright import design_of


async def repower(run_id: str, nodes: list[str]) -> None:
    """Boot them side by side, and plug them in. HarnessError when there is no such cluster."""
    design, run = design_of(run_id), RunDirectory(run_id)
    machines = Machines(design.topology, design.subjects, design.image, engine_of_nodes(design.engines, run), run)
    home = Home(run.path, start_relay=_nobody)
    machines.fabric = Fabric(design.topology, machines.plan, Keeper.of(run).namespace, home)
    try:
        await asyncio.gather(*(_boot(machines, node) for node in nodes))
    finally:
        machines.fabric.close()


def _nobody() -> None:
    """Whatever has a character already has its relay."""


async def _boot(machines: Machines, node: str) -> None:
    await machines.plug(node, await machines.power_on(node))


if __name__ == "__main__":
    asyncio.run(repower(sys.argv[1], sys.argv[2:]))
