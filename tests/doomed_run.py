"""A run that goes on until somebody kills it: create, start, pause, kill, restart, for ever.

Arguments: ``RUN_ID IMAGE SEED ENGINE``.
"""

import asyncio
import random
import sys
from pathlib import Path

from harness.engines.cgroup import CLIENTS, Cgroup
from harness.engines.choice import engine_for
from harness.engines.engine import NodeDefinition, NodeFile
from harness.healing import ResumeNode
from harness.journal import Journal
from harness.keeper import Keeper
from harness.rundir import RunDirectory

BUSY = NodeFile("/etc/boot.d/10-busy", b"#!/bin/sh\nwhile :; do sleep 0.01; done\n", 0o755)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


async def _live(run_id: str, image: Path, seed: int, engine_name: str) -> None:
    chance = random.Random(seed)
    run = RunDirectory.create(run_id)
    _say("directory")
    keeper = Keeper.start(run)
    _say(f"keeper {keeper.process.pid}")
    keeper.add_namespace("clients")
    clients = Cgroup(f"{run.cgroup}/{CLIENTS}")
    clients.create()
    await asyncio.create_subprocess_exec(*clients.joining(), "sleep", "1000")
    engine = engine_for(engine_name, run)
    names = ("n1", "n2", "n3")
    await asyncio.gather(*(engine.create(NodeDefinition(name, image, files=(BUSY,))) for name in names))
    await asyncio.gather(*(engine.start(name) for name in names))
    _say("started")
    while True:
        node = chance.choice(names)
        match chance.randrange(3):
            case 0:
                await engine.kill(node)
                await engine.start(node)
            case 1:
                Journal(run).about_to("freeze", ResumeNode(node))
                await engine.pause(node)
                await engine.resume(node)
                Journal(run).healed("freeze")
            case _:
                await engine.exec(node, ["sh", "-c", "setsid sleep 1000 & exec true"])


if __name__ == "__main__":
    asyncio.run(_live(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
