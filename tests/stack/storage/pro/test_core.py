"""The plan: for any cluster, and what has to hold before it is begun."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.pro.core import State, needs, plan, ready

READY = State(
    "mfsmaster",
    version="4.57.5",
    chunkservers={f"192.0.2.{number}": "4.57.5" for number in (1, 2, 3)},
    metaloggers={"192.0.2.2": "4.57.5"},
    clients={"n3:/mnt/mfs": "4.57.5"},
    missing=0,
    endangered=0,
    undergoal=0,
    saved_ago_s=60.0,
    standby=(),
    offered="4.57.5-1",
    licence=True,
)
NOT_YET = {
    "the master answers": State("mfsmaster", error="mfsmaster:9421 does not answer: Connection refused"),
    "it is Community": replace(READY, version="4.57.5 PRO"),
    "all servers have one version": replace(READY, metaloggers={"192.0.2.2": "4.56.1"}),
    "version 4": replace(
        READY, version="3.0.118", chunkservers=dict.fromkeys(READY.chunkservers, "3.0.118"), metaloggers={}
    ),
    "every chunk has its copies": replace(READY, undergoal=1),
    "3 chunkservers, for a leader needs more than half of them": replace(READY, chunkservers={"192.0.2.1": "4.57.5"}),
    "metadata was saved within an hour": replace(READY, saved_ago_s=7200.0),
    "a metalogger here could become the master (the way back)": replace(READY, standby=("changelogs at most",)),
    "packages of Pro": replace(READY, offered=""),
    "a licence (/etc/mfs/mfslicence.bin)": replace(READY, licence=False),
}


@pytest.mark.promise("S5-90")
@pytest.mark.parametrize("what", NOT_YET)
def test_each_thing_that_is_needed_keeps_it_from_being_begun(what: str) -> None:
    assert ready(READY)
    assert not ready(NOT_YET[what])
    assert [one.what for one in needs(NOT_YET[what]) if one.holds is False] == [what]


def test_what_cannot_be_seen_is_no_reason_and_is_said() -> None:
    unseen = replace(READY, standby=None, missing=None, saved_ago_s=None)
    assert ready(unseen)
    assert len([one for one in needs(unseen) if one.holds is None]) == 3


hosts = st.dictionaries(st.from_regex(r"192\.0\.2\.\d{1,2}", fullmatch=True), st.just("4.57.5"), max_size=5)


@pytest.mark.promise("S5-90")
@given(chunkservers=hosts, metaloggers=hosts, clients=hosts, undergoal=st.integers(0, 1))
def test_every_step_is_checked_and_has_a_way_back(
    chunkservers: dict[str, str], metaloggers: dict[str, str], clients: dict[str, str], undergoal: int
) -> None:
    state = replace(READY, chunkservers=chunkservers, metaloggers=metaloggers, clients=clients, undergoal=undergoal)
    steps = plan(state)
    assert all(one.check and one.back and one.commands for one in steps)
    assert [one.name for one in steps if one.kind == "interrupts"] == ["replace the master", "show that it holds"]
    assert [one.where for one in steps if "chunkserver" in one.name] == sorted(chunkservers), "each in its turn"
    assert [one.where for one in steps if "client" in one.name] == sorted(clients), "none is forgotten"
    assert sum("follower" in one.name for one in steps) == max(1, len(metaloggers))
    (before, replacing, *after) = steps
    assert before.kind == "prepare", "metadata is kept before anything is changed"
    assert replacing.needs == needs(state), "all of it has to hold there"
    assert after[-1] == steps[-1]
