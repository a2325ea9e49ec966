"""mfs-autonomy as its users install it, on nodes whose kernel has NBD where the engine gives them one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.addresses import AddressPlan
from harness.checks.expected import Expected
from harness.conditions import Condition
from harness.engines.engine import Engine, NodeFile
from harness.errors import HarnessError
from harness.images.program_layer import ensure_program_layer
from harness.subjects.subject import Subject
from harness.topology import Topology

COMMAND = "mfs-autonomy"


@dataclass(frozen=True, slots=True)
class MfsAutonomy(Subject):
    """A command on every node, and no daemon yet: nothing runs until somebody calls it, nothing has to settle."""

    name = COMMAND
    image = "storage"
    standing: Sequence[Expected] = ()
    first_look = f"{COMMAND} status"

    def layers(self, image: Path) -> Sequence[Path]:
        """The program."""
        return (ensure_program_layer(image, "storage", name=COMMAND),)

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """None of its own."""
        return ()

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """Nothing to wait for."""
        return ()

    async def load_nbd(self, engine: Engine, node: str) -> None:
        """Have the node's kernel load NBD with its 16 devices. HarnessError where it has none."""
        done = await engine.exec(node, ["modprobe", "nbd"])
        if done.exit_code:
            raise HarnessError(f"{node} has no NBD: {(done.stdout + done.stderr).decode().strip()}")
