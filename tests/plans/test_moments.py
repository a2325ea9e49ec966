"""What happens between two looks at a cluster."""

from harness.plans.moments import Look, Moments


def look(*holders: str, quorate: str = "n1 n2 n3", powered: str = "n1 n2 n3") -> Look:
    return Look(holders, frozenset(quorate.split()), frozenset(powered.split()))


def test_nothing_happens_at_the_first_look_and_while_nothing_changes() -> None:
    moments = Moments()
    assert moments.since_last(look("n1")) == ()
    assert moments.since_last(look("n1")) == ()


def test_a_holder_that_is_lost_and_another_that_appears_have_moved_the_address() -> None:
    moments = Moments()
    moments.since_last(look("n1"))
    assert moments.since_last(look()) == ("holder-lost",)
    assert moments.since_last(look("n2")) == ("holder-appears", "holder-moved")


def test_the_same_holder_again_has_not_moved_it() -> None:
    moments = Moments()
    moments.since_last(look("n1"))
    moments.since_last(look())
    assert moments.since_last(look("n1")) == ("holder-appears",)


def test_two_holders_are_no_move() -> None:
    moments = Moments()
    moments.since_last(look("n1"))
    assert moments.since_last(look("n1", "n2")) == ()


def test_quorum_and_power_of_any_node() -> None:
    moments = Moments()
    moments.since_last(look("n1"))
    assert moments.since_last(look("n1", quorate="n1 n2", powered="n1 n2")) == ("quorum-lost", "node-lost")
    assert moments.since_last(look("n1")) == ("quorum-regained", "node-returns")
