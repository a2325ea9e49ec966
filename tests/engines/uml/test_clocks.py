"""What several exchanges say of a clock, together."""

from hypothesis import given
from hypothesis import strategies as st

from harness.engines.uml.clocks import DRIFT_PER_S, NodeClock, Reading

spans_s = st.floats(0.0, 0.01)


@given(
    difference_s=st.floats(-1e6, 1e6),
    drift=st.floats(-DRIFT_PER_S / 2, DRIFT_PER_S / 2),
    delays_s=st.lists(st.tuples(st.floats(0.0, 2.0), spans_s, spans_s), min_size=1, max_size=20),
    later_s=st.floats(0.0, 10.0),
)
def test_the_true_time_is_within_the_error(
    difference_s: float, drift: float, delays_s: list[tuple[float, float, float]], later_s: float
) -> None:
    def there(t_s: float) -> float:
        return t_s * (1 + drift) - difference_s

    clock, t_s = NodeClock(), 1000.0
    for pause_s, way_s, back_s in delays_s:
        asked_s = t_s + pause_s
        clock.feed(Reading(asked_s, there(asked_s + way_s), asked_s + way_s + back_s))
        t_s = asked_s + way_s + back_s
    true_s = t_s + later_s
    found_s, error_s = clock.mapped(there(true_s))
    assert abs(found_s - true_s) <= error_s + 1e-3 * DRIFT_PER_S * true_s + 1e-6


def test_several_exchanges_narrow_it_down() -> None:
    clock = NodeClock()
    clock.feed(Reading(10.0, 5.004, 10.005))  # slow on the way there
    assert abs(clock.mapped(5.0)[1] - 0.0025) < 1e-4
    clock.feed(Reading(11.0, 6.001, 11.005))  # slow on the way back
    found_s, error_s = clock.mapped(6.0)
    assert error_s < 0.0012
    assert abs(found_s - 11.0) <= error_s + 0.002


def test_a_clock_that_was_set_is_no_reason_for_confidence() -> None:
    clock = NodeClock()
    clock.feed(Reading(10.0, 5.0, 10.001))
    clock.feed(Reading(11.0, 7.0, 11.001))
    assert clock.mapped(7.0)[1] > 0.4
