"""Where replicas go, what happens when machines are lost and come back, and how one revision follows another."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stack.multisite.placement.core import SURGE, Machine, Move, Phase, Place, Replica, Rules, Wish, decide
from tests.stack.multisite.placement.world import World

SITES = {"dijon": 2, "lyon": 2, "thory": 2}
API = Wish("api", 3, "r1")


def quiet(world: World, within: int = 200) -> int:
    """Steps until nothing is left to decide, for a while."""
    still = 0
    for number in range(within):
        still = 0 if world.step() else still + 1
        if still == 30:
            return number - 29
    raise AssertionError("it goes on deciding")


def where(world: World, service: str = "api") -> list[str]:
    return sorted(row.machine for row in world.rows.values() if row.service == service and row.phase is Phase.run)


def test_replicas_are_spread_over_sites_then_machines() -> None:
    world = World([API], SITES)
    quiet(world)
    assert where(world) == ["dijon0", "lyon0", "thory0"]
    world.wishes["api"] = replace(API, replicas=5)
    quiet(world)
    assert where(world) == ["dijon0", "dijon1", "lyon0", "lyon1", "thory0"]
    world.wishes["api"] = replace(API, replicas=2)
    quiet(world)
    assert len(where(world)) == 2
    assert len({name[:-1] for name in where(world)}) == 2


def test_a_lost_machine_is_replaced_and_what_is_well_stays() -> None:
    world = World([API], SITES)
    quiet(world)
    world.machines["dijon0"].up = False
    quiet(world)
    assert {"lyon0", "thory0", "dijon1"} <= set(where(world))
    assert world.count("api") == 3


def test_who_comes_back_before_he_is_replaced_loses_nothing() -> None:
    world = World([API], SITES)
    quiet(world)
    before = set(world.rows)
    world.machines["dijon0"].reachable = False
    for _ in range(2):
        assert world.step() == 0
    world.machines["dijon0"].reachable = True
    quiet(world)
    assert set(world.rows) == before


def test_surplus_is_drained_before_it_is_stopped() -> None:
    world = World([API], SITES)
    quiet(world)
    world.machines["dijon0"].reachable = False
    quiet(world)
    world.machines["dijon0"].reachable = True
    world.step()
    assert [row.phase for row in world.rows.values()].count(Phase.drain) == 1
    assert world.count("api") == 4
    quiet(world)
    assert world.count("api") == 3


def test_affinity_room_and_limits_are_obeyed() -> None:
    only_lyon = Wish("api", 3, "r1", sites=("lyon",))
    heavy = Wish("big", 6, "r1", cpu_millis=600)
    apart = Wish("shy", 6, "r1", apart_from=("api",))
    world = World([only_lyon, heavy, apart], SITES)
    quiet(world)
    assert where(world) == ["lyon0", "lyon1"]
    assert len(where(world, "big")) == 6
    assert where(world, "shy") == ["dijon0", "dijon1", "thory0", "thory1"]
    more = World([Wish("big", 3, "r1", cpu_millis=600, max_per_machine=2)], {"dijon": 1})
    quiet(more)
    assert where(more, "big") == ["dijon0"]


def test_an_update_starts_first_and_never_has_fewer_than_wanted() -> None:
    world = World([API], SITES)
    quiet(world)
    world.wishes["api"] = replace(API, revision="r2")
    for _ in range(60):
        world.step()
        assert sum(age >= 1.0 for one in world.machines.values() for age in one.running.values()) >= 3
        assert world.count("api") <= 3 + SURGE
    assert {row.revision for row in world.rows.values()} == {"r2"}
    assert quiet(world) == 0


def test_an_update_that_does_not_become_well_is_taken_back() -> None:
    world = World([API], SITES)
    quiet(world)
    before = set(world.rows)
    world.broken.add("r2")
    world.wishes["api"] = replace(API, revision="r2")
    quiet(world)
    assert set(world.rows) == before
    world.wishes["api"] = replace(API, revision="r3")
    quiet(world)
    assert {row.revision for row in world.rows.values()} == {"r3"}


def test_what_nobody_wants_any_more_goes() -> None:
    leftover = Replica(1, "old", "dijon0", 0, "r1")
    machines = [Machine("dijon0", "dijon")]
    assert decide([], machines, [leftover], Rules()) == [Move(1, Phase.drain)]
    gone = replace(leftover, phase=Phase.stop, gone=True)
    assert decide([], machines, [gone], Rules()) == [Move(1, None)]


def test_an_exclusive_one_waits_for_the_lease_of_the_first() -> None:
    wish = Wish("lock", 1, "r1", exclusive=True)
    rows = [Replica(1, "lock", "dijon0", 0, "r1", ailing_s=5)]
    machines = [Machine("dijon0", "dijon", alive=False), Machine("lyon0", "lyon")]
    assert decide([wish], machines, rows, Rules()) == []
    machines[0] = replace(machines[0], lease_over=True)
    assert decide([wish], machines, rows, Rules()) == [Place("lock", "lyon0", 0, "r1"), Move(1, Phase.stop)]
    # Its machine is back: told to stop, and until it says that it has nothing else is begun.
    back = [replace(rows[0], phase=Phase.stop)]
    assert decide([wish], [Machine("dijon0", "dijon"), machines[1]], back, Rules()) == []


def test_an_exclusive_one_stops_before_its_next_revision_starts() -> None:
    world = World([Wish("lock", 1, "r1", exclusive=True)], SITES)
    quiet(world)
    world.wishes["lock"] = replace(world.wishes["lock"], revision="r2")
    for _ in range(40):
        world.step()
        assert world.count("lock") <= 1
    assert [row.revision for row in world.rows.values()] == ["r2"]


WISHES = st.builds(
    Wish,
    service=st.just("api"),
    replicas=st.integers(0, 6),
    revision=st.just("r1"),
    cpu_millis=st.sampled_from([0, 300, 700]),
    sites=st.sampled_from([(), ("dijon",), ("lyon", "thory")]),
    max_per_machine=st.integers(1, 3),
)


@given(WISHES, st.dictionaries(st.sampled_from(list(SITES)), st.integers(1, 3), min_size=1), st.integers(0, 2**32))
@settings(max_examples=1000, deadline=None)
def test_whatever_is_lost_there_are_never_more_than_wanted_and_the_surge_and_in_the_end_as_many_as_fit(
    wish: Wish, sites: dict[str, int], seed: int
) -> None:
    chance = random.Random(seed)
    lock = Wish("lock", 1, "r1", exclusive=True)
    world = World([wish, lock], sites)
    asked = wish
    for number in range(60):
        if chance.random() < 0.25:
            world.disturb(chance)
        if chance.random() < 0.05:
            asked = world.wishes["api"] = replace(asked, revision=f"r{number}")
        known = set(world.rows)
        world.step()
        # Who was away may bring back more than that, but then nothing is begun.
        begun = any(world.rows[key].service == "api" for key in set(world.rows) - known)
        assert not begun or placed(world) <= asked.replicas + SURGE
        assert world.count("lock") <= 1
    for one in world.machines.values():
        one.up = one.reachable = True
    quiet(world, 600)
    fit = sum(
        min(asked.max_per_machine, 1000 // asked.cpu_millis if asked.cpu_millis else 9)
        for one in world.machines.values()
        if not asked.sites or one.site in asked.sites
    )
    rows = [row for row in world.rows.values() if row.service == "api"]
    assert len(rows) == world.count("api") == min(asked.replicas, fit)
    assert world.count("lock") == 1


def placed(world: World) -> int:
    """Replicas of the service on machines that are heard, whatever is wanted of them."""
    _, machines, rows = world.seen()
    alive = {one.name for one in machines if one.alive}
    return sum(row.service == "api" and row.machine in alive for row in rows)


def test_without_its_lease_an_exclusive_one_runs_twice() -> None:
    """So the property above can fail."""
    world = World([Wish("lock", 1, "r1", exclusive=True)], SITES, leased=False)
    quiet(world)
    world.machines[where(world, "lock")[0]].reachable = False
    most = 0
    for _ in range(40):
        world.step()
        most = max(most, world.count("lock"))
    assert most == 2


def test_the_same_facts_give_the_same_answer_in_whatever_order() -> None:
    world = World([API], SITES)
    world.step()
    wishes, machines, rows = world.seen()
    assert decide(wishes, machines[::-1], rows[::-1], Rules()) == decide(wishes, machines, rows, Rules())
