"""Who begins a K3s: through all that three masters may have."""

from collections.abc import Sequence
from itertools import product

import pytest

from harness.stack.dataservices.inventory.core import Role, Server, read
from harness.stack.dataservices.k3s.founding import decided, founding
from harness.stack.dataservices.k3s.places import JOIN
from harness.stack.dataservices.plan.core import Action, Ask, Check, Decided, File, Undecided
from tests.stack.dataservices.servers import K3S

MASTERS = read(K3S).of(Role.K3S_MASTER)
BEGINS = "cluster-init: true\n"
ANSWERS = {"member": ("member",), "nothing": ("nothing",), "silent": None}


def started(master: Server, inside: Sequence[Server], way: File) -> tuple[Action, ...]:
    return way, Check(" ".join(one.name for one in inside), 1)


def ways(what: Decided) -> dict[str, File]:
    """How each comes in, in their order."""
    found: dict[str, File] = {}
    for stage in what.stages:
        ((name, does),) = stage.actions.items()
        assert isinstance(does[0], File)
        found[name] = does[0]
    return found


@pytest.mark.parametrize("states", [*product(ANSWERS, repeat=3)])
def test_nobody_founds_a_second_cluster(states: tuple[str, ...]) -> None:
    answers = {one.name: ANSWERS[state] for one, state in zip(MASTERS, states, strict=True)}
    if "silent" in states:
        with pytest.raises(Undecided, match="no answer, and so nobody knows"):
            decided(MASTERS, answers, started)
        return
    found = ways(decided(MASTERS, answers, started))
    assert set(found) == {one.name for one in MASTERS}
    state_of = {one.name: state for one, state in zip(MASTERS, states, strict=True)}
    for name, way in found.items():
        assert (way.path, way.mode) == (JOIN, 0o600)
        assert way.once == (state_of[name] == "member"), "what a member once was told stays, and no one else's"
        if state_of[name] == "nothing" and "member" in states:
            assert way.content.startswith("server: https://10.0.0.3"), "a master without data joins those who have some"
    begins = [name for name, way in found.items() if way.content == BEGINS and not way.once]
    assert begins == ([] if "member" in states else ["m-01"])


def test_who_joins_is_sent_to_one_that_is_in() -> None:
    answers = {"m-01": ("nothing",), "m-02": ("member",), "m-03": ("nothing",)}
    found = ways(decided(MASTERS, answers, started))
    assert [*found] == ["m-02", "m-01", "m-03"]
    assert found["m-01"].content == found["m-03"].content == "server: https://10.0.0.32:6443\n"


def test_one_after_the_other_and_each_waits_for_all_before_it() -> None:
    nothing = {one.name: ("nothing",) for one in MASTERS}
    what = decided(MASTERS, nothing, started)
    waits = [
        [one.command for one in does if isinstance(one, Check)] for s in what.stages for does in s.actions.values()
    ]
    assert waits == [["m-01"], ["m-01 m-02"], ["m-01 m-02 m-03"]]
    assert what.why == "no master was ever in a cluster: m-01 begins one"


def test_an_address_of_version_6_is_one_before_a_port() -> None:
    masters = read(K3S.replace("10.0.0.3", "fd00::3")).of(Role.K3S_MASTER)
    found = ways(decided(masters, {one.name: ("nothing",) for one in masters}, started))
    assert found["m-02"].content == "server: https://[fd00::31]:6443\n"


def test_each_master_is_asked_what_it_has() -> None:
    stage = founding(MASTERS, started)
    assert set(stage.actions) == {"m-01", "m-02", "m-03"}
    for does in stage.actions.values():
        (ask,) = does
        assert isinstance(ask, Ask)
        assert "/var/lib/rancher/k3s/server/db/etcd" in ask.command
