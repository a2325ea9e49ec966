"""The program that is told of dead nodes, on three nodes in virtual time: by every survivor, with proof, and undone."""

from dataclasses import replace

import pytest

from harness.stack.sfha.config.load import Vip
from harness.stack.sfha.config.resources import Service
from harness.stack.sfha.fencing.settings import Notify, Safety
from tests.stack.sfha.claim.world import STONITH
from tests.stack.sfha.claim.world import Cluster as World

TOLD = replace(STONITH, notify=Notify("/bin/program"), safety=Safety(grace_s=120, delay_s=10))
AT_ONCE_S = 0.3


class Cluster(World):
    """Nobody is fenced within the time of these tests unless a person asks; nothing runs but the daemons."""

    stonith = TOLD
    vips: tuple[Vip, ...] = ()
    services: tuple[Service, ...] = ()

    def off(self, number: int) -> None:
        """It loses its power."""
        self.dead.add(number)
        self.powered.discard(number)

    def on(self, number: int) -> None:
        """It boots, with a daemon that knows nothing."""
        self.dead.discard(number)
        self.powered.add(number)
        self.power[number].said.clear()
        self.restart(number)

    def said(self) -> dict[int, list[str]]:
        """On those that are up, since this was asked last."""
        said = {number: [*power.said] for number, power in self.power.items() if number not in self.dead}
        for power in self.power.values():
            power.said.clear()
        return said


@pytest.fixture
def cluster() -> Cluster:
    """All are members, and each was told so."""
    cluster = Cluster()
    cluster.live(0.4)
    cluster.view({1, 2, 3}, ring=8)
    cluster.live(1.0)
    assert cluster.said() == {number: [f"returned n{one}" for one in {1, 2, 3} - {number}] for number in (1, 2, 3)}
    return cluster


def test_every_survivor_is_told_of_a_node_without_power_and_of_its_return(cluster: Cluster) -> None:
    cluster.off(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(AT_ONCE_S)
    assert cluster.said() == {2: ["fenced n1"], 3: ["fenced n1"]}
    cluster.live(30.0)
    assert cluster.power[2].asked == []
    cluster.on(1)
    cluster.view({1, 2, 3}, ring=16)
    cluster.live(AT_ONCE_S)
    assert cluster.said() == {1: ["returned n2", "returned n3"], 2: ["returned n1"], 3: ["returned n1"]}
    cluster.live(30.0)
    assert cluster.said() == {1: [], 2: [], 3: []}


def test_nobody_is_told_of_a_node_that_has_power(cluster: Cluster) -> None:
    """It is cut off: it is alone, and the others do not know whether it is dead."""
    cluster.view({2, 3}, ring=12)
    cluster.view({1}, ring=12)
    cluster.live(9.0)
    assert cluster.said() == {1: [], 2: [], 3: []}


def test_nobody_is_told_by_a_switch_that_does_not_answer(cluster: Cluster) -> None:
    cluster.switch_works = False
    cluster.off(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(30.0)
    assert cluster.said() == {2: [], 3: []}
    cluster.switch_works = True
    cluster.live(11.0)
    assert cluster.said() == {2: ["fenced n1"], 3: ["fenced n1"]}


def test_those_that_follow_see_themselves_what_the_leader_has_fenced(cluster: Cluster) -> None:
    cluster.dead.add(1)  # frozen
    cluster.view({2, 3}, ring=12)
    cluster.live(1.0)
    assert cluster.said() == {2: [], 3: []}
    assert cluster.arbiter(2).fence("n1", force=True) is None
    cluster.live(AT_ONCE_S)
    assert cluster.said() == {2: ["fenced n1"], 3: ["fenced n1"]}


def test_a_fencing_of_which_nobody_hears_is_seen_all_the_same(cluster: Cluster) -> None:
    """Whoever did it died before it said so, or a person pulled the plug."""
    cluster.dead.add(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(1.0)
    cluster.off(1)
    cluster.live(8.0)
    assert cluster.said() == {2: [], 3: []}
    cluster.live(2.0)
    assert cluster.said() == {2: ["fenced n1"], 3: ["fenced n1"]}


def test_a_daemon_that_begins_anew_says_it_again_and_still_what_was_undone_meanwhile(cluster: Cluster) -> None:
    cluster.off(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(AT_ONCE_S)
    cluster.said()
    cluster.restart(2)
    cluster.view({2, 3}, ring=12)
    cluster.live(AT_ONCE_S)
    assert cluster.said() == {2: ["returned n3", "fenced n1"], 3: []}
    cluster.restart(2)
    cluster.on(1)
    cluster.view({1, 2, 3}, ring=16)
    cluster.live(AT_ONCE_S)
    assert cluster.said()[2] == ["returned n1", "returned n3"]


def test_what_failed_is_said_again_and_the_status_tells(cluster: Cluster) -> None:
    cluster.program_works = False
    cluster.off(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(AT_ONCE_S)
    status = cluster.arbiter(2).status().nodes[0]
    assert (status.name, status.off) == ("n1", True)
    assert status.told is not None
    assert (status.told.word, status.told.done, status.told.error) == ("fenced", False, "no")
    cluster.program_works = True
    cluster.live(1.0)
    assert cluster.said() == {2: ["fenced n1"] * 2, 3: ["fenced n1"] * 2}
    status = cluster.arbiter(2).status().nodes[0]
    assert status.told is not None
    assert (status.told.done, status.told.tries, status.told.error) == (True, 2, "")


def test_without_a_program_nobody_looks(cluster: Cluster) -> None:
    for number in (2, 3):
        cluster.arbiter(number).configure({1: "n1", 2: "n2", 3: "n3"}, replace(TOLD, notify=None))
    cluster.off(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(5.0)
    assert cluster.said() == {2: [], 3: []}
    assert not cluster.arbiter(3).status().nodes[0].off


def test_a_removed_node_is_said_to_have_returned(cluster: Cluster) -> None:
    cluster.off(1)
    cluster.view({2, 3}, ring=12)
    cluster.live(AT_ONCE_S)
    cluster.said()
    for number in (2, 3):
        cluster.nodes[number].roster_changed({2: "n2", 3: "n3"})
    cluster.live(AT_ONCE_S)
    assert cluster.said() == {2: ["returned n1"], 3: ["returned n1"]}
