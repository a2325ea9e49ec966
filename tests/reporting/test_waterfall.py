"""The stages of a failover."""

import pytest

from harness.reporting.waterfall import waterfalls
from tests.checks.story import VIP, failover, story


def test_every_stage_of_a_failover_in_order() -> None:
    (fall,) = waterfalls(failover().history())
    assert fall.base == "kill n1"
    assert [(stage.name, stage.node) for stage in fall.stages] == [
        ("fault effective", ""),
        ("membership re-formed", "n2"),
        ("leader elected", "n2"),
        ("lease acquired", "n2"),
        ("gate opened", "n2"),
        ("address added", "n2"),
        ("address reported", "n2"),
        ("gratuitous ARP seen", "n2"),
        ("first answer", ""),
        ("first committed write", ""),
    ]
    stage = fall.stage("membership re-formed")
    assert stage is not None
    assert stage.after_s == pytest.approx(0.652)


def test_only_writes_through_the_address_say_when_it_is_written_to_again() -> None:
    told = story().run().fault("kill", "n1", at=3, until=9).connects("c1", 1, 3, ok=True)
    told.connects("c1", 3, 3.7, ok=False).connects("c1", 3.7, 9, ok=True)
    told.write(3.1, 1, through="10.77.1.2:2379").write(3.2, 2, "unknown", through=f"{VIP}:2379")
    (fall,) = waterfalls(told.write(3.8, 3, through=f"{VIP}:2379").write(4.2, 4, through=f"{VIP}:2379").history())
    stage = fall.stage("first committed write")
    assert stage is not None
    assert stage.after_s == pytest.approx(0.805)


def test_stages_of_a_subject_that_says_nothing_are_absent() -> None:
    told = story().run(subject="keepalived").fault("kill", "n1", at=3, until=9).node_holds("n1", 1, 3.001)
    told.node_holds("n2", 6.1, None).announced("n2", 6.101).ended(12)
    told.connects("c1", 1, 3, ok=True).connects("c1", 3, 6.1, ok=False).connects("c1", 6.1, 9, ok=True)
    (fall,) = waterfalls(told.history())
    assert {stage.name for stage in fall.stages} == {
        "fault effective",
        "address added",
        "gratuitous ARP seen",
        "first answer",
    }


def test_an_outage_without_a_fault_counts_from_its_own_start() -> None:
    told = story().run().connects("c1", 1, 3, ok=True).connects("c1", 3, 4, ok=False).connects("c1", 4, 5, ok=True)
    (fall,) = waterfalls(told.ended(6).history())
    assert fall.base == "start of the outage"
    assert [stage.name for stage in fall.stages] == ["first answer"]


def test_a_run_without_an_outage_has_none() -> None:
    assert waterfalls(story().run().connects("c1", 1, 3, ok=True).ended(4).history()) == ()
    assert waterfalls(story().history()) == ()


def test_as_text_it_names_times_and_nodes() -> None:
    (fall,) = waterfalls(failover().history())
    text = str(fall)
    assert text.startswith(f"outage of {VIP} for c1: 700.1 ms")
    assert "+652.0 ms  membership re-formed   n2" in text
