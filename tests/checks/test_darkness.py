"""Moments without a holder that no fault explains."""

import pytest

from harness.checks.darkness import Why, dark_moments
from tests.checks.story import VIP, Story, failover, story


def lengths_ms(told: Story) -> list[float]:
    return [round(moment.length_s * 1000, 1) for moment in dark_moments(told.history())]


def blink() -> Story:
    """n1's lease runs out for 12 ms, for no reason that anybody knows."""
    told = story().run().power("n1", 0).gate("n1", installed=0.1, opened=((1.0, 3.0), (3.012, 12.0)))
    return told.node_holds("n1", 1.0, None).note(10, "the end").ended(10)


def test_a_lease_that_runs_out_for_no_reason() -> None:
    (moment,) = dark_moments(blink().history())
    assert (moment.address, moment.before, moment.after) == (VIP, "n1", "n1")
    assert round(moment.length_s, 3) == 0.012


def test_what_a_fault_did_is_the_faults() -> None:
    assert lengths_ms(failover()) == []
    assert lengths_ms(blink().fault("freeze", "n2", at=2.9, until=4.0)) == []
    assert lengths_ms(blink().fault("freeze", "n2", at=3.5, until=4.0)) == [12.0]


def test_after_a_heal_handing_back_is_the_heals_and_a_blink_is_not() -> None:
    assert lengths_ms(blink().fault("freeze", "n2", at=1.5, until=2.0)) == [12.0]
    handed = story().run().fault("cut-site", "dijon", at=2, until=4)
    handed.node_holds("n2", 1, 6).node_holds("n1", 6.02, None).ended(10)
    assert lengths_ms(handed) == []


def test_a_power_cut_without_a_fault_explains_it_too() -> None:
    told = story().run().power("n1", 0, 3).power("n2", 0).node_holds("n1", 1, None).node_holds("n2", 3.7, None).ended(9)
    assert lengths_ms(told) == []


def test_nothing_held_is_nothing_dark() -> None:
    assert dark_moments(story().history()) == ()
    assert lengths_ms(story().run().ended(3)) == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ((), Why.UNKNOWN),
        ((("n1", 3.001, "lease-lost", {"reason": "no longer leader"}),), Why.HANDED_OVER),
        ((("n1", 3.001, "lease-lost", {"reason": "stopping"}),), Why.HANDED_OVER),
        ((("n1", 3.001, "lease-lost", {"reason": "no quorum"}),), Why.NO_QUORUM),
        ((("n1", 3.011, "lease-lost", {"reason": "no majority answered in time"}),), Why.RAN_OUT),
        ((("n1", 3.011, "lease-lost", {"reason": "renew refused by the kernel"}),), Why.RAN_OUT),
        ((("n2", 3.001, "lease-lost", {"reason": "no longer leader"}),), Why.UNKNOWN),
        ((("n1", 2.5, "lease-lost", {"reason": "no longer leader"}),), Why.UNKNOWN),
        ((("n1", 3.001, "vip-released", {}),), Why.TAKEN_AWAY),
        (
            (
                ("n2", 2.99, "slow-callback", {"wall_ms": 80, "blocked_ms": 70, "name": "look"}),
                ("n1", 3.011, "lease-lost", {"reason": "no majority answered in time"}),
            ),
            Why.BLOCKED,
        ),
        (
            (
                ("n2", 2.5, "slow-callback", {"wall_ms": 80, "blocked_ms": 70, "name": "look"}),
                ("n1", 3.011, "lease-lost", {"reason": "no majority answered in time"}),
            ),
            Why.RAN_OUT,
        ),
    ],
)
def test_the_holder_says_why(said: tuple[tuple[str, float, str, dict[str, object]], ...], why: Why) -> None:
    told = blink()
    for node, at, event, fields in said:
        told.said(node, at, event, **fields)
    (moment,) = dark_moments(told.history())
    assert moment.why is why
