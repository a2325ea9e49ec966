"""What only a node with a kernel of its own has: modules and further disks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.engines.uml import mconsole
from harness.errors import EngineError
from harness.fabric.namespaces import call_in

Ask = Callable[[Mapping[str, object]], Awaitable[Mapping[str, object]]]
_FIRST_LETTER, _MOST = ord("b"), 14


@dataclass(frozen=True, slots=True)
class Parts:
    """Of one running node."""

    ask: Ask
    pid: int
    console: Path
    """The directory of its kernel's management console."""
    disks: Path
    """Where the media of further disks are, as long as the node's own disk."""

    async def load_module(self, name: str) -> None:
        """Load a module, by name or alias, and what it needs. EngineError when the kernel has none."""
        await self.ask({"do": "module", "name": name})

    async def add_disk(self, size_bytes: int) -> str:
        """Give the node one more block device, empty, until its power goes; gives its name in the node."""
        present = {path.name for path in self.disks.glob("more-*")}
        number = next(number for number in range(1, _MOST + 1) if f"more-{number}" not in present)
        medium = self.disks / f"more-{number}"
        with medium.open("xb") as stream:
            stream.truncate(size_bytes)
        line = f"config ubd{number}={medium}"
        try:
            await asyncio.to_thread(
                call_in, Path(f"/proc/{self.pid}/ns/net"), lambda: mconsole.tell(self.console, line)
            )
        except EngineError:
            medium.unlink()
            raise
        return f"/dev/ubd{chr(_FIRST_LETTER + number - 1)}"
