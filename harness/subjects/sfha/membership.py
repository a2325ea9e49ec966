"""What each node's own Corosync says of quorum and members, as it changes (:mod:`.quorum_watch` runs in the node)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.events import MembershipSeen
from harness.history import Recorder
from harness.subjects.programs import NodesClock, ProgramProbe, Spawn, same_clock

MONITOR_COMMAND = ("/usr/bin/python3", "-ISc", Path(__file__).with_name("quorum_watch.py").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class View:
    """What a node sees: is there quorum, which node ids are members, in which ring. ``at_s`` is when, by its clock."""

    at_s: float
    quorate: bool
    members: tuple[int, ...] = ()
    ring: str = ""


def parse_view(line: str) -> View:
    """The view that a line of the program tells; a node that lost its Corosync sees nothing. Raises ValueError."""
    match json.loads(line):
        case {"at_s": float(at_s), "lost": True}:
            return View(at_s, quorate=False)
        case {"at_s": float(at_s), "quorate": bool(quorate), "members": [*members], "ring": str(ring)}:
            return View(at_s, quorate, tuple(members), ring)
    raise ValueError(line)


class MembershipMonitors(ProgramProbe):
    """The monitors of all nodes of a run. ``names`` maps Corosync node ids to node names, as far as known at first."""

    def __init__(
        self, spawn: Spawn, recorder: Recorder, names: Mapping[int, str], clock: NodesClock = same_clock
    ) -> None:
        super().__init__("membership", MONITOR_COMMAND, self._seen, spawn, recorder, clock=clock)
        self._names = dict(names)

    def nodes_are_called(self, names: Mapping[int, str]) -> None:
        """Nodes that joined have these Corosync node ids, whatever theirs are in the topology."""
        self._names |= names

    def _seen(self, node: str, line: str) -> MembershipSeen:
        view = parse_view(line)
        members = tuple(self._names.get(member, f"id{member}") for member in view.members)
        return MembershipSeen(t_s=view.at_s, node=node, quorate=view.quorate, members=members, ring=view.ring)
