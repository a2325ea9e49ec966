"""What is believed, and who takes traffic."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.stack.multisite.health.core import HealthCore, Outcome, Rules, Verdict
from harness.stack.multisite.inventory.snapshot import Backend, Service, Snapshot

RULES = Rules(fall=3, rise=2, lease_s=10.0)
WELL, REFUSED, SILENT = Outcome.answered, Outcome.refused, Outcome.silence


def pool(count: int, name: str = "api", priority: int = 0) -> tuple[Backend, ...]:
    return tuple(
        Backend(name, f"site{number}", f"10.0.{priority}.{number}", 80, "/health", priority, 1)
        for number in range(count)
    )


def core_of(*pools: tuple[Backend, ...]) -> HealthCore:
    core = HealthCore(RULES)
    core.watch(Snapshot(tuple(Service(one[0].service, (f"{one[0].service}.test",), {}, one) for one in pools)))
    return core


def told(core: HealthCore, backend: Backend, *outcomes: Outcome, now_s: float = 1.0) -> list[Verdict]:
    changes = [core.looked(backend.key, outcome, "", now_s) for outcome in outcomes]
    return [one for one in changes if one is not None]


def in_use(core: HealthCore, backends: tuple[Backend, ...], now_s: float = 1.0) -> list[int]:
    out = core.rotation(now_s).out
    return [index for index, one in enumerate(backends) if one.key not in out]


def test_silence_counts_after_three_looks_and_recovery_after_two() -> None:
    (one, other) = backends = pool(2)
    core = core_of(backends)
    assert told(core, other, WELL) == [Verdict.up]
    assert told(core, one, WELL) == [Verdict.up]
    assert told(core, one, SILENT, SILENT, WELL, SILENT, SILENT) == []
    assert told(core, one, SILENT) == [Verdict.down]
    assert in_use(core, backends) == [1]
    assert told(core, one, WELL, SILENT, WELL) == []
    assert told(core, one, WELL) == [Verdict.up]
    assert in_use(core, backends) == [0, 1]


def test_what_a_backend_says_of_itself_is_believed_at_once() -> None:
    (one,) = backends = pool(1)
    core = core_of(backends)
    assert told(core, one, WELL, REFUSED) == [Verdict.up, Verdict.down]
    assert core.rotation(1.0).empty == {"api"}


def test_nobody_is_out_before_anything_is_known() -> None:
    backends = pool(3)
    assert in_use(core_of(backends), backends) == [0, 1, 2]


def test_who_was_never_heard_is_out_after_three_looks_too() -> None:
    """A site that is away when the platform begins."""
    (one, other) = backends = pool(2)
    core = core_of(backends)
    assert told(core, other, WELL) == [Verdict.up]
    assert told(core, one, SILENT, SILENT) == []
    assert in_use(core, backends) == [0, 1]
    assert told(core, one, SILENT) == [Verdict.down]
    assert in_use(core, backends) == [1]


def test_looks_with_a_lease_between_them_are_not_in_a_row() -> None:
    (one, other) = backends = pool(2)
    core = core_of(backends)
    assert told(core, one, SILENT, SILENT, now_s=1.0) == []
    assert told(core, one, SILENT, SILENT, now_s=11.1) == []
    assert told(core, other, WELL, now_s=11.1) == [Verdict.up]
    assert in_use(core, backends, 11.1) == [0, 1]
    assert told(core, one, SILENT, now_s=21.0) == [Verdict.down]


def test_a_verdict_that_nobody_renews_is_worth_nothing() -> None:
    (one, other) = backends = pool(2)
    core = core_of(backends)
    told(core, one, REFUSED, now_s=1.0)
    told(core, other, WELL, now_s=1.0)
    assert in_use(core, backends, 11.0) == [1]
    assert in_use(core, backends, 11.1) == [0, 1]
    assert core.verdict(one.key, 11.1) is Verdict.unknown


def test_who_hears_nobody_takes_out_half_of_a_pool_at_most() -> None:
    backends = pool(4)
    core = core_of(backends)
    for number, one in enumerate(backends):
        told(core, one, WELL, SILENT, SILENT, SILENT, now_s=1.0 + number)
    assert in_use(core, backends, 5.0) == [2, 3]  # those that fell silent last
    alone = pool(1)
    core = core_of(alone)
    told(core, alone[0], WELL, SILENT, SILENT, SILENT)
    assert in_use(core, alone) == [0]


def test_silence_of_two_sites_of_three_is_believed_while_the_third_answers() -> None:
    backends = pool(3)
    core = core_of(backends)
    for one in backends:
        told(core, one, WELL)
    for one in backends[:2]:
        told(core, one, SILENT, SILENT, SILENT)
    assert in_use(core, backends) == [2]


def test_all_that_refuse_are_out_though_nobody_answers() -> None:
    backends = pool(3)
    core = core_of(backends)
    for one in backends:
        told(core, one, WELL, REFUSED)
    rotation = core.rotation(1.0)
    assert rotation.out == {one.key for one in backends}
    assert rotation.empty == {"api"}


def test_the_best_priority_that_has_somebody_takes_all() -> None:
    first, second = pool(2, priority=1), pool(2, priority=2)
    backends = first + second
    core = core_of(backends)
    for one in backends:
        told(core, one, WELL)
    assert in_use(core, backends) == [0, 1]
    told(core, first[0], REFUSED)
    assert in_use(core, backends) == [1]
    told(core, first[1], REFUSED)
    assert in_use(core, backends) == [2, 3]


def test_who_is_drained_gets_nothing_unless_there_is_nobody_else() -> None:
    one, other = pool(2)
    backends = (replace(one, draining=True), other)
    core = core_of(backends)
    told(core, one, WELL)
    told(core, other, WELL)
    assert in_use(core, backends) == [1]
    told(core, other, REFUSED)
    assert in_use(core, backends) == [0]


def test_what_stays_keeps_its_verdict() -> None:
    (one,) = pool(1)
    core = core_of((one,))
    told(core, one, REFUSED)
    core.watch(Snapshot((Service("api", ("a.test",), {}, (replace(one, weight=7),)),)))
    assert core.verdict(one.key, 1.0) is Verdict.down
    core.watch(Snapshot((Service("api", ("a.test",), {}, (replace(one, health="/other"),)),)))
    assert core.verdict(one.key, 1.0) is Verdict.unknown
    core.watch(Snapshot())
    assert core.looked(one.key, WELL, "", 2.0) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(list(Outcome)), st.floats(0, 8)), max_size=60))
def test_nobody_is_out_without_a_reason(looks: list[tuple[int, Outcome, float]]) -> None:
    """Whatever is seen: who is out is down by the newest look, and half of a pool stays unless it refused or somebody
    is heard."""
    backends, now_s = pool(4), 0.0
    core, newest = core_of(backends), dict.fromkeys(range(4), Outcome.answered)
    for index, outcome, passed_s in looks:
        now_s += passed_s
        told(core, backends[index], outcome, now_s=now_s)
        newest[index] = outcome
        out = {number for number in range(4) if number not in in_use(core, backends, now_s)}
        verdicts = [core.verdict(one.key, now_s) for one in backends]
        assert all(verdicts[number] is Verdict.down for number in out)
        silent = [number for number in out if newest[number] is SILENT]
        if Verdict.up not in verdicts and silent:
            assert len(out) <= 2


def test_a_place_that_nobody_is_in_takes_no_traffic_and_whoever_comes_is_not_judged_by_who_was_there() -> None:
    first, second = pool(2)
    idle = (first, replace(second, idle=True))
    core = core_of(idle)
    assert in_use(core, idle) == [0]
    # It is none of those who could be left when nobody else is.
    told(core, first, REFUSED)
    rotation = core.rotation(1.0)
    assert rotation.empty == {"api"}
    assert rotation.out == {one.key for one in idle}
    core.watch(Snapshot((Service("api", ("api.test",), {}, (first, second)),)))
    assert in_use(core, (first, second)) == [1]
    assert told(core, second, REFUSED) == [Verdict.down]
    core.watch(Snapshot((Service("api", ("api.test",), {}, idle),)))
    core.watch(Snapshot((Service("api", ("api.test",), {}, (first, second)),)))
    assert core.verdict(second.key, 1.0) is Verdict.unknown
