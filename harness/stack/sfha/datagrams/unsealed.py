"""Peers that may still speak as before: an upgrade from a version that proved less, node after node.

There were two: one whose datagrams had no seal, and one that signed its requests with a key that all members had in
common. Each has its own list. A peer is on it only in a cluster that this node was in already with such a version, and
only until it was first heard as of now, which is remembered on the disk. To be deleted, with all that names it, when
nobody upgrades from there any more.
"""

import json
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ...kit.durable import write_durably
from ...kit.ports import Log
from ..roster.store import PAIRED, SEALED, STATE_PATH

UNSEALED_PATH, UNPAIRED_PATH = Path("/var/lib/sfha/unsealed.json"), Path("/var/lib/sfha/unpaired.json")
EVENTS = {SEALED: "peer-upgraded", PAIRED: "peer-paired"}
ASK_EVERY = 32
"""Each so many messages such a peer is asked whether it seals by now. What it cannot read it complains of."""


class Unsealed:
    """Who they are, by node id."""

    def __init__(
        self, nodes: Iterable[int] = (), log: Log | None = None, path: Path = UNSEALED_PATH, mark: str = SEALED
    ) -> None:
        self._nodes, self._log, self._path, self._event = frozenset(nodes), log, path, EVENTS[mark]
        self._sent: dict[int, int] = {}

    def __contains__(self, node: int) -> bool:
        return node in self._nodes

    def among(self, nodes: Iterable[int]) -> list[int]:
        """Those of these nodes, in order."""
        return sorted(self._nodes.intersection(nodes))

    def is_to_be_asked(self, node: int) -> bool:
        """Whether the message that is sent to it now comes with a hello."""
        sent = self._sent[node] = self._sent.get(node, -1) + 1
        return sent % ASK_EVERY == 0

    def heard_sealed(self, node: int) -> None:
        """From now on and for ever it is heard in no other way."""
        self._nodes -= {node}
        if self._log is not None:
            self._log(self._event, peer=node)
        nodes = sorted(self._nodes)
        threading.Thread(target=self._save, args=(nodes,), daemon=True).start()  # the lease does not wait for a disk

    def _save(self, nodes: list[int]) -> None:
        with suppress(OSError):  # it stays allowed, then, until it is heard after the next start
            write_durably(self._path, json.dumps(nodes) + "\n")


def allowed(
    peers: Iterable[int], log: Log, path: Path = UNSEALED_PATH, state: Path = STATE_PATH, mark: str = SEALED
) -> Unsealed:
    """The peers that were not heard as of now yet; ``mark`` is in the state of a version of now. Raises OSError."""
    known = _read(path)
    if not isinstance(known, list):
        earlier = _read(state)
        if not isinstance(earlier, dict) or earlier.get(mark):
            return Unsealed((), log, path, mark)
        known = sorted(peers)
        write_durably(path, json.dumps(known) + "\n")
    return Unsealed((node for node in known if isinstance(node, int)), log, path, mark)


def _read(path: Path) -> object:
    with suppress(OSError, ValueError):
        return json.loads(path.read_text())
    return None
