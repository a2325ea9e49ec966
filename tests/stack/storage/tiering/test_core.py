"""Which class a volume gets: the rules that come before its use, for any cluster; and what use asks for."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.tiering.core import (
    DAY_S,
    Change,
    Cluster,
    Plan,
    Policy,
    Spent,
    StorageClass,
    Tier,
    Volume,
    decide,
    unsafe,
)

HOT, WARM, COLD = "3CP", "2CP", "EC4+1"
POLICY = Policy(
    (Tier(HOT), Tier(WARM, 7 * DAY_S), Tier(COLD, 30 * DAY_S)), margin=0.25, stay_s=7 * DAY_S, most_changes=4
)
CLASSES = {name: StorageClass(name, copies) for name, copies in ((HOT, 3), (WARM, 2), (COLD, 2), ("1CP", 1))}
WELL = Cluster(classes=CLASSES)
GIB = 1 << 30


def volume(storage_class: str, idle_days: float, **more: object) -> Volume:
    return replace(Volume("/mnt/mfs/images/100", storage_class, GIB, idle_days * DAY_S, least_copies=2), **more)  # type: ignore[arg-type]


def given_to(one: Volume, cluster: Cluster = WELL, policy: Policy = POLICY) -> str:
    """The class that it gets now."""
    plan = decide(policy, [one], cluster)
    return plan.changes[0].after if plan.changes else one.storage_class


def why(one: Volume, cluster: Cluster = WELL) -> str:
    return decide(POLICY, [one], cluster).kept[0].why


@pytest.mark.promise("S5-74")
@pytest.mark.parametrize(
    ("storage_class", "idle_days", "wanted"),
    [
        (HOT, 0, HOT),
        (HOT, 8, HOT),  # within the margin
        (HOT, 9, WARM),
        (HOT, 33, WARM),  # within the margin of the next
        (HOT, 40, COLD),
        (WARM, 6, WARM),  # within the margin
        (WARM, 5, HOT),
        (WARM, 0, HOT),
        (WARM, 31, WARM),
        (WARM, 38, COLD),
        (COLD, 29, COLD),
        (COLD, 22, WARM),
        (COLD, 0, HOT),
    ],
)
def test_what_use_asks_for(storage_class: str, idle_days: float, wanted: str) -> None:
    assert given_to(volume(storage_class, idle_days)) == wanted


@pytest.mark.promise("S5-74")
def test_whoever_moves_much_is_hot_whatever_the_times_of_the_file_say() -> None:
    busy = volume(COLD, 400, bytes_per_s=float(2 << 20))
    assert given_to(busy) == HOT
    assert given_to(replace(busy, bytes_per_s=1000.0)) == COLD


@pytest.mark.promise("S5-74")
def test_a_volume_keeps_what_it_got_for_a_while_unless_it_has_too_few_copies() -> None:
    assert given_to(volume(WARM, 0, changed_ago_s=6 * DAY_S)) == WARM
    assert given_to(volume(WARM, 0, changed_ago_s=8 * DAY_S)) == HOT
    assert given_to(volume(WARM, 0, changed_ago_s=60.0, least_copies=3)) == HOT


@pytest.mark.promise("S5-74")
def test_the_least_is_kept_and_where_no_class_has_it_nothing_is_done() -> None:
    assert given_to(volume(HOT, 400, least_copies=3)) == HOT
    assert "3 are the least" in why(volume(HOT, 400, least_copies=3))
    assert given_to(volume(WARM, 400, least_copies=4)) == WARM
    lower = replace(POLICY, tiers=(*POLICY.tiers, Tier("1CP", 60 * DAY_S)))
    assert given_to(volume(HOT, 400), policy=lower) == COLD, "the coldest that is allowed"


def test_a_class_without_servers_is_passed_over() -> None:
    cluster = Cluster(classes={**CLASSES, HOT: StorageClass(HOT, 3, fulfilled=False)})
    assert given_to(volume(COLD, 0), cluster) == WARM
    assert given_to(volume(WARM, 0), cluster) == WARM
    assert "not enough servers" in why(volume(WARM, 0), cluster)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (volume("", 0), "several classes"),
        (volume("mine", 0), "none of the tiers"),
        (volume(WARM, 0, asked=True), "waits for a person"),
    ],
)
def test_what_somebody_chose_or_was_asked_about_stays(one: Volume, said: str) -> None:
    assert said in why(one)


def test_the_most_urgent_first_and_no_more_than_the_budget_of_the_day() -> None:
    volumes = [
        volume(HOT, 40, path="/left-long"),
        volume(HOT, 20, path="/left"),
        volume(WARM, 0, path="/used"),
        volume(WARM, 20, path="/few", least_copies=3),
    ]
    paths = ["/few", "/used", "/left-long", "/left"]
    assert [one.path for one in decide(POLICY, volumes, WELL).changes] == paths
    assert [one.path for one in decide(POLICY, volumes, WELL, Spent(changes=2)).changes] == paths[:2]
    assert decide(POLICY, volumes, WELL, Spent(changes=4)).changes == ()
    tight = replace(POLICY, most_bytes=5 * GIB)
    assert [one.path for one in decide(tight, volumes, WELL).changes] == ["/few", "/left-long"]
    large = [volume(WARM, 0, size_bytes=100 * GIB)]
    assert len(decide(tight, large, WELL).changes) == 1, "one that is larger than the budget goes alone"
    assert decide(tight, large, WELL, Spent(1, GIB)).changes == ()


@pytest.mark.promise("S5-74")
@pytest.mark.parametrize(
    "cluster",
    [
        replace(WELL, endangered=1),
        replace(WELL, missing=1),
        replace(WELL, undergoal=1),
        Cluster(error="the master cannot be asked"),
        replace(WELL, error="the master cannot be asked"),
    ],
)
def test_nothing_at_all_while_chunks_are_endangered(cluster: Cluster) -> None:
    plan = decide(POLICY, [volume(WARM, 0), volume(WARM, 0, least_copies=3)], cluster)
    assert plan.changes == ()
    assert plan.waits == unsafe(cluster) != ""


classes = st.sampled_from([HOT, WARM, COLD, "1CP", "mine", ""])
volumes_of_any_kind = st.builds(
    Volume,
    path=st.integers(0, 9).map(lambda number: f"/mnt/mfs/{number}"),
    storage_class=classes,
    size_bytes=st.integers(0, 1 << 42),
    idle_s=st.floats(0, 400 * DAY_S),
    bytes_per_s=st.floats(0, 1 << 24),
    least_copies=st.integers(1, 4),
    changed_ago_s=st.none() | st.floats(0, 30 * DAY_S),
    asked=st.booleans(),
)
clusters_of_any_kind = st.builds(
    Cluster,
    missing=st.sampled_from([0, 0, 0, 1]),
    endangered=st.sampled_from([0, 0, 0, 1]),
    undergoal=st.sampled_from([0, 0, 0, 1]),
    classes=st.fixed_dictionaries(
        {},
        optional={
            name: st.builds(StorageClass, st.just(name), st.integers(1, 4), st.sampled_from([True, True, False]))
            for name in (HOT, WARM, COLD, "1CP")
        },
    ),
    error=st.sampled_from(["", "", "", "silent"]),
)


def path_of(one: Volume) -> str:
    return one.path


policies = st.builds(
    Policy,
    st.sampled_from([POLICY.tiers, POLICY.tiers[:2], (*POLICY.tiers, Tier("1CP", 60 * DAY_S))]),
    margin=st.floats(0, 0.5),
    most_changes=st.integers(1, 6),
    most_bytes=st.integers(1, 1 << 44),
)


def check(plan: Plan, policy: Policy, volumes: list[Volume], cluster: Cluster, spent: Spent) -> None:
    """The rules, said once more in other words."""
    if cluster.error or cluster.missing or cluster.endangered or cluster.undergoal:
        assert plan.changes == ()
    tiers = {one.storage_class for one in policy.tiers}
    by_path = {one.path: one for one in volumes}
    for change in plan.changes:
        one = by_path[change.path]
        after = cluster.classes[change.after]
        assert after.copies >= one.least_copies, "never below the least"
        assert after.fulfilled
        assert {change.before, change.after} <= tiers
        assert change.before == one.storage_class != change.after
        assert not one.asked
        if cluster.classes[change.before].copies >= one.least_copies:
            assert one.changed_ago_s is None or one.changed_ago_s >= policy.stay_s
    assert len(plan.changes) <= max(0, policy.most_changes - spent.changes)
    cost = sum(one.cost_bytes for one in plan.changes)
    alone = len(plan.changes) == 1 and spent == Spent()
    assert cost + spent.size_bytes <= policy.most_bytes or alone or not plan.changes
    told = {one.path for one in plan.changes} | {one.path for one in plan.kept}
    assert told == set(by_path), "each is told of"


@pytest.mark.promise("S5-74")
@given(
    policies,
    st.lists(volumes_of_any_kind, unique_by=path_of, max_size=8),
    clusters_of_any_kind,
    st.builds(Spent, st.integers(0, 6), st.integers(0, 1 << 44)),
)
def test_the_rules_hold_for_any_cluster(policy: Policy, volumes: list[Volume], cluster: Cluster, spent: Spent) -> None:
    check(decide(policy, volumes, cluster, spent), policy, volumes, cluster, spent)


@pytest.mark.promise("S5-74")
@given(policies, volumes_of_any_kind, clusters_of_any_kind)
def test_what_was_changed_stays_as_long_as_it_is_used_as_before(policy: Policy, one: Volume, cluster: Cluster) -> None:
    plan = decide(policy, [one], cluster)
    for change in plan.changes:
        after = replace(one, storage_class=change.after)
        assert decide(policy, [after], cluster).changes == (), "hysteresis: nothing goes to and fro"


def test_a_change_says_what_it_costs() -> None:
    (change,) = decide(POLICY, [volume(WARM, 0)], WELL).changes
    assert change == Change("/mnt/mfs/images/100", WARM, HOT, 2, 3 * GIB, "it was used 0 s ago")
