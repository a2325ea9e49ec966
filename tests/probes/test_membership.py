"""The membership monitor: its parser on what a real quorumtool printed, and its life with a process."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from harness.events import MembershipSeen, WatchEnded
from harness.history import History, Recorder
from harness.probes.membership import NO_VIEW, MembershipMonitors, Parser, View
from harness.wait import until

from .conftest import seen

SAMPLE = Path(__file__).parent / "samples" / "quorumtool-monitor.txt"
"""Printed by node 1 of three: started alone, joined by two, which then died one after the other, then died."""


def test_every_block_is_a_view() -> None:
    parser = Parser()
    views = [view for line in SAMPLE.read_text().splitlines() if (view := parser.feed(line))]
    assert views == [
        View(False, (1,), "1.5"),
        View(True, (1, 2), "1.9"),
        View(True, (1, 2, 3), "1.d"),
        View(True, (1, 2), "1.11"),
        View(False, (1,), "1.15"),
    ]


def test_a_block_with_a_quorum_device_names_only_nodes() -> None:
    text = """Quorum information
Ring ID:          1.8
Quorate:          Yes
Membership information
    Nodeid      Votes    Qdevice Name
         1          1    A,V,NMW 10.9.0.1 (local)
         2          1    A,V,NMW 10.9.0.2
         0          1            Qdevice

"""
    parser = Parser()
    assert [parser.feed(line) for line in text.split("\n")[:-1]][-1] == View(True, (1, 2), "1.8")


def test_a_block_that_was_cut_off_is_no_view() -> None:
    parser = Parser()
    lines = SAMPLE.read_text().splitlines()
    views = [parser.feed(line) for line in [*lines[2:10], "monitor-lost", *lines[2:25]]]
    assert [view for view in views if view] == [NO_VIEW, View(False, (1,), "1.5")]


def sampled(history: Path) -> MembershipMonitors:
    """Monitors of a node that says what is in the sample, twice."""

    async def spawn(node: str, command: Sequence[str]) -> asyncio.subprocess.Process:
        script = f"cat {SAMPLE} {SAMPLE}; echo monitor-lost; exec cat"
        return await asyncio.create_subprocess_exec(
            "sh", "-c", script, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )

    return MembershipMonitors(spawn, Recorder(history), {1: "n1", 2: "n2"})


async def test_a_monitor_reports_changes_and_ends_with_its_node(history: Path) -> None:
    monitors = sampled(history)
    await monitors.watch("n1")
    await until(lambda: len(seen(history, MembershipSeen)) == 11, within_s=2, what="every change is recorded")
    await monitors.close()
    recorded = History.read(history)
    assert recorded.of(MembershipSeen)[2].members == ("n1", "n2", "id3")
    assert not recorded.of(MembershipSeen)[-1].quorate
    assert [event.target for event in recorded.of(WatchEnded)] == ["n1"]


async def test_a_node_that_joined_is_called_by_its_name(history: Path) -> None:
    monitors = sampled(history)
    monitors.nodes_are_called({3: "n5"})
    await monitors.watch("n1")
    await until(lambda: len(seen(history, MembershipSeen)) == 11, within_s=2, what="every change is recorded")
    await monitors.close()
    assert History.read(history).of(MembershipSeen)[2].members == ("n1", "n2", "n5")
