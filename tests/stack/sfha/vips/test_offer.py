"""What a node offers, in virtual time."""

from harness.stack.kit.messages import message
from harness.stack.sfha.vips.offer import LINK_REST_S, LONGEST_REST_S, REFUSED_FOR_S, Offer, Trouble, refused

DOWN = Trouble(message("link.down", interface="eth0"))


def offer(now_s: float = 0.0) -> Offer:
    """One that has been well so far."""
    fresh = Offer()
    fresh.look({"web": None}, holds=False, now_s=now_s)
    return fresh


def test_nothing_stands_in_the_way_of_what_is_well() -> None:
    assert offer().lacking == {}
    assert offer().wake_s is None


def test_what_is_lacking_counts_at_once_and_comes_back_after_a_while() -> None:
    one = offer()
    one.look({"web": DOWN, "db": None}, holds=True, now_s=10)
    assert list(one.lacking) == ["web"]
    assert str(one.trouble("web")) == "interface eth0 is down"
    one.look({"web": None, "db": None}, holds=False, now_s=11)
    assert list(one.lacking) == ["web"]
    assert one.trouble("web") is None
    assert one.wake_s == 11 + LINK_REST_S
    one.look({"web": None, "db": None}, holds=False, now_s=11 + LINK_REST_S)
    assert one.lacking == {}


def test_who_holds_all_the_same_has_nothing_to_come_back_to() -> None:
    one = offer()
    one.look({"web": DOWN}, holds=True, now_s=10)
    one.look({"web": None}, holds=True, now_s=11)
    assert one.lacking == {}


def test_a_loose_plug_rests_longer_each_time_and_not_for_ever() -> None:
    one, now_s, rests = offer(), 10.0, []
    for _ in range(5):
        one.look({"web": DOWN}, holds=True, now_s=now_s)
        one.look({"web": None}, holds=False, now_s=now_s)
        assert one.wake_s is not None
        rests.append(one.wake_s - now_s)
        now_s = one.wake_s
        one.look({"web": None}, holds=False, now_s=now_s)
        assert one.lacking == {}
        now_s += 1
    assert rests == [LINK_REST_S, 2 * LINK_REST_S, LONGEST_REST_S, LONGEST_REST_S, LONGEST_REST_S]
    one.look({"web": DOWN}, holds=True, now_s=now_s + 1000)
    one.look({"web": None}, holds=False, now_s=now_s + 1000)
    assert one.wake_s == now_s + 1000 + LINK_REST_S


def test_one_that_flaps_while_it_rests_does_not_come_back() -> None:
    one = offer()
    for tenth in range(100, 300):
        one.look({"web": DOWN if tenth // 10 % 2 else None}, holds=False, now_s=tenth / 10)
        assert tenth < 110 or one.lacking


def test_what_a_start_has_to_wait_for_has_no_rest() -> None:
    one = Offer()
    one.look({"web": DOWN}, holds=False, now_s=0)
    assert one.lacking
    one.look({"web": None}, holds=False, now_s=1)
    assert one.lacking == {}


def test_a_refusal_counts_when_it_lasts() -> None:
    one = offer()
    one.look({"web": refused("Permission denied")}, holds=True, now_s=10)
    assert one.lacking == {}
    assert str(one.trouble("web")) == "Permission denied"
    assert one.wake_s == 10 + REFUSED_FOR_S
    one.look({"web": refused("Permission denied")}, holds=True, now_s=10 + REFUSED_FOR_S)
    assert list(one.lacking) == ["web"]


def test_a_refusal_that_turns_out_to_be_a_missing_interface_counts_at_once() -> None:
    one = offer()
    one.look({"web": refused("No such device")}, holds=True, now_s=10)
    one.look({"web": DOWN}, holds=True, now_s=10.1)
    assert list(one.lacking) == ["web"]
    one.look({"web": None}, holds=False, now_s=11)
    assert one.wake_s == 11 + LINK_REST_S


def test_somebody_who_says_that_it_is_well_need_not_wait() -> None:
    one = offer()
    one.look({"web": DOWN, "db": DOWN}, holds=True, now_s=10)
    one.look({"web": None, "db": DOWN}, holds=False, now_s=11)
    one.forgive()
    one.look({"web": None, "db": DOWN}, holds=False, now_s=11)
    assert list(one.lacking) == ["db"]


def test_a_refusal_that_passes_leaves_nothing() -> None:
    one = offer()
    one.look({"web": refused("Permission denied")}, holds=True, now_s=10)
    one.look({"web": None}, holds=False, now_s=12)
    assert one.lacking == {}
    assert one.wake_s is None


def test_an_address_that_is_no_longer_configured_is_forgotten() -> None:
    one = offer()
    one.look({"web": DOWN}, holds=True, now_s=10)
    one.look({}, holds=True, now_s=11)
    assert one.lacking == {}
