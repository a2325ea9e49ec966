"""The membership monitor: the lines it reads, and its life with a process."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.events import MembershipSeen, WatchEnded
from harness.history import History, Recorder
from harness.subjects.sfha.membership import MembershipMonitors, View, parse_view
from harness.wait import until
from tests.probes.conftest import seen

FORMED = '{"at_s": 7.5, "quorate": true, "members": [1, 2, 3], "ring": "1.9"}'
LOST = '{"at_s": 8.0, "lost": true}'


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


def test_a_line_is_a_view() -> None:
    assert parse_view(FORMED) == View(7.5, quorate=True, members=(1, 2, 3), ring="1.9")
    assert parse_view(LOST) == View(8.0, quorate=False)


@pytest.mark.parametrize("line", ["", FORMED[:-9], "[]", '{"at_s": 8.0}', '{"at_s": "8", "lost": true}'])
def test_half_a_line_is_no_view(line: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_view(line)


def monitors_of(history: Path) -> MembershipMonitors:
    """Monitors of a node that forms a cluster of three, loses its Corosync, and is cut off in the middle of a line."""
    lines = "\n".join((FORMED, LOST, FORMED[:20]))

    async def spawn(node: str, command: Sequence[str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            'echo "$1"; exec cat',
            "sh",
            lines,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )

    return MembershipMonitors(spawn, Recorder(history), {1: "n1", 2: "n2"})


async def test_a_monitor_reports_changes_and_ends_with_its_node(history: Path) -> None:
    monitors = monitors_of(history)
    await monitors.watch("n1")
    await until(lambda: len(seen(history, MembershipSeen)) == 2, within_s=10, what="every change is recorded")
    await monitors.close()
    recorded = History.read(history)
    formed, lost = recorded.of(MembershipSeen)
    assert (formed.t_s, formed.members, formed.ring) == (7.5, ("n1", "n2", "id3"), "1.9")
    assert (lost.t_s, lost.quorate, lost.members) == (8.0, False, ())
    assert [event.target for event in recorded.of(WatchEnded)] == ["n1"]


async def test_a_node_that_joined_is_called_by_its_name(history: Path) -> None:
    monitors = monitors_of(history)
    monitors.nodes_are_called({3: "n5"})
    await monitors.watch("n1")
    await until(lambda: len(seen(history, MembershipSeen)) == 2, within_s=10, what="every change is recorded")
    await monitors.close()
    assert History.read(history).of(MembershipSeen)[0].members == ("n1", "n2", "n5")
