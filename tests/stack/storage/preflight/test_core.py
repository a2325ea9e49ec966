"""What findings amount to, and checks that hang, break or have nothing to look at."""

import threading
import time
from pathlib import Path

import pytest

from harness.stack.storage.mounts import master_of, mount_of
from harness.stack.storage.places import Places
from harness.stack.storage.preflight.checks import EVERY
from harness.stack.storage.preflight.core import CATEGORIES, Finding, Outcome, Result, Risk, Seen, Weight, blocked_by
from harness.stack.storage.preflight.operation import Operation
from harness.stack.storage.preflight.run import Checks, run


def finding(outcome: Outcome, weight: Weight) -> Finding:
    return Finding("a-check", "state", weight, outcome, "this", "that", "do it")


@pytest.mark.promise("S5-42")
@pytest.mark.parametrize(
    ("outcome", "weight", "risk"),
    [
        (Outcome.PASSED, Weight.CRITICAL, Risk.LOW),
        (Outcome.NOT_CONCERNED, Weight.CRITICAL, Risk.LOW),
        (Outcome.FAILED, Weight.WARNING, Risk.MEDIUM),
        (Outcome.UNKNOWN, Weight.WARNING, Risk.MEDIUM),
        (Outcome.FAILED, Weight.SERIOUS, Risk.HIGH),
        (Outcome.UNKNOWN, Weight.CRITICAL, Risk.HIGH),
        (Outcome.FAILED, Weight.CRITICAL, Risk.CRITICAL),
    ],
)
def test_the_risk_is_the_worst_finding(outcome: Outcome, weight: Weight, risk: Risk) -> None:
    result = Result((finding(Outcome.PASSED, Weight.CRITICAL), finding(outcome, weight)))
    assert result.risk is risk
    assert bool(blocked_by(result, approved=False)) is (risk in (Risk.HIGH, Risk.CRITICAL))
    assert bool(blocked_by(result, approved=True)) is (risk is Risk.CRITICAL)


@pytest.mark.promise("S5-40", "S5-41")
def test_the_result_has_what_was_found_by_each_check() -> None:
    found = [
        Finding(f"{weight.value}-{outcome.value}", "state", weight, outcome, "this", "that", "do it")
        for weight in Weight
        for outcome in Outcome
    ]
    result = Result(tuple(found))
    assert result.total == len([one for one in found if one.outcome is not Outcome.NOT_CONCERNED])
    assert result.passed == len([one for one in found if one.outcome is Outcome.PASSED])
    told = [*result.failures, *result.warnings]
    wrong = [one for one in found if one.outcome in (Outcome.FAILED, Outcome.UNKNOWN)]
    assert sorted(one.check for one in told) == sorted(one.check for one in wrong), "none is lost, none told twice"
    assert result.risk is Risk.CRITICAL


def test_nothing_found_is_nothing_passed() -> None:
    assert (Result(()).passed, Result(()).total, Result(()).risk) == (0, 0, Risk.LOW)


def test_a_check_that_hangs_is_unknown_and_holds_nobody_up(tmp_path: Path) -> None:
    checks, never = Checks("state"), threading.Event()

    @checks.check("hangs", Weight.CRITICAL, "an answer", "wait")
    def _hangs(_: Operation) -> Seen:
        never.wait(60)
        return Seen(True, "too late")

    @checks.check("breaks", Weight.WARNING, "an answer", "mend it")
    def _breaks(_: Operation) -> Seen:
        raise OSError(5, "Input/output error")

    @checks.check("has-nothing", Weight.CRITICAL, "an answer", "nothing")
    def _nothing(_: Operation) -> Seen:
        return Seen(None, "nothing here")

    began_s = time.monotonic()
    result = run(checks.declared, Operation(tmp_path / "a", tmp_path / "b", Places(tmp_path, tmp_path)), 0.2, ())
    never.set()
    assert time.monotonic() - began_s < 5
    assert [one.outcome for one in result.findings] == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.NOT_CONCERNED]
    assert (result.passed, result.total, result.risk) == (0, 2, Risk.HIGH)
    assert "no answer within 0.2 s" in result.findings[0].seen
    assert "Input/output error" in result.findings[1].seen


def test_the_mount_is_the_nearest_one() -> None:
    table = (
        "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
        "30 22 0:40 / /mnt/my\\040mfs rw,nosuid - fuse.mfs mfs#mfsmaster:9421 rw,user_id=0\n"
        "31 22 0:41 / /mnt ro - tmpfs tmpfs ro\n"
    )
    mount = mount_of(Path("/mnt/my mfs/images/1"), table)
    assert mount.is_moosefs
    assert master_of(mount) == ("mfsmaster", 9421)
    assert "ro" in mount_of(Path("/mnt/x"), table).options
    assert mount_of(Path("/etc"), table).kind == "ext4"


def test_every_check_is_declared_once_and_says_what_to_do() -> None:
    assert len({one.name for one in EVERY}) == len(EVERY) >= 30
    assert {one.category for one in EVERY} == set(CATEGORIES) - {"operation"}
    assert all(one.expected and one.remedy for one in EVERY)
