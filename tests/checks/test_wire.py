"""Who answered on the wire, and who was left behind."""

from harness.checks.verdict import Outcome
from harness.checks.wire import clients_not_stranded, one_answerer, only_the_holder_speaks
from tests.checks.story import NODES, VIP, Story, failover, story


def test_a_hand_over_holds() -> None:
    verdict = one_answerer(failover().history(), VIP)
    assert verdict.outcome is Outcome.HOLDS
    assert "1 hand-overs" in verdict.summary


def test_nothing_seen_is_unknown() -> None:
    assert one_answerer(story().run().ended(9).history(), VIP).outcome is Outcome.UNKNOWN
    assert clients_not_stranded(story().history(), VIP).outcome is Outcome.UNKNOWN


def test_a_node_that_took_the_address_anew_may_answer_again() -> None:
    told = story().run().node_holds("n1", 0, 3).node_holds("n2", 3.1, 6).node_holds("n1", 6.1, None).ended(9)
    told.answers_arp("n1", 1, 3).answers_arp("n2", 3.2, 6).answers_arp("n1", 6.2, 9)
    assert one_answerer(told.history(), VIP).outcome is Outcome.HOLDS


def test_two_that_answer_the_same_question_are_named_until_when() -> None:
    told = story().run().node_holds("n1", 0, None).node_holds("n2", 3, 7).ended(9)
    verdict = one_answerer(told.answers_arp("n1", 1, 9).answers_arp("n2", 3.0001, 7).history(), VIP)
    assert verdict.outcome is Outcome.VIOLATED
    assert len(verdict.evidence) == 1
    assert set(verdict.evidence[0].nodes) == {"n1", "n2"}
    assert "until 6.99" in verdict.summary


def test_a_former_holder_that_comes_back_without_taking_the_address_anew_is_caught() -> None:
    told = story().run().node_holds("n1", 0, None).node_holds("n2", 3, 6).ended(9)
    told.answers_tcp("n1", 1, 2.5).answers_tcp("n2", 3.1, 6).answers_tcp("n1", 6.1, 9)
    assert one_answerer(told.history(), VIP).outcome is Outcome.VIOLATED


def test_an_answer_that_was_on_its_way_is_no_second_answerer() -> None:
    told = story().run().node_holds("n1", 0, 3).node_holds("n2", 3, None).ended(9)
    told.answers_arp("n1", 1, 3.011).answers_arp("n2", 2.999, 9)
    assert one_answerer(told.history(), VIP, tolerance_s=0.012).outcome is Outcome.HOLDS


# --- only the holder speaks ---------------------------------------------------------------------------


def test_a_take_over_in_which_only_holders_speak_holds() -> None:
    assert only_the_holder_speaks(failover().history(), VIP).outcome is Outcome.HOLDS


def test_a_stale_announcement_that_nobody_asked_for_is_found() -> None:
    verdict = only_the_holder_speaks(failover().announced("n1", 7.0).history(), VIP)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence[0].nodes == ("n1",)
    assert "2 times" in verdict.evidence[0].text


def test_an_address_that_is_there_behind_a_closed_gate_is_not_held() -> None:
    told = story().run().gate("n1", installed=0.1, opened=((1.0, 3.0),)).node_holds("n1", 1.0, None).ended(9)
    assert only_the_holder_speaks(told.announced("n1", 2.0).history(), VIP).outcome is Outcome.HOLDS
    assert only_the_holder_speaks(told.announced("n1", 4.0).history(), VIP).outcome is Outcome.VIOLATED


def test_a_holding_that_a_stalled_observer_saw_late_is_no_stale_announcement() -> None:
    told = story().run().node_holds("n1", 3.0, None).announced("n1", 2.8).ended(9)
    assert only_the_holder_speaks(told.history(), VIP).outcome is Outcome.VIOLATED
    assert only_the_holder_speaks(told.stalled(3.0, 0.3).history(), VIP).outcome is Outcome.HOLDS


def test_a_stranger_on_the_wire_is_not_judged_here_and_silence_tells_nothing() -> None:
    assert only_the_holder_speaks(story().run().ended(9).history(), VIP).outcome is Outcome.UNKNOWN
    assert only_the_holder_speaks(story().run().announced("n1", 2).ended(9).history(), VIP).outcome is Outcome.UNKNOWN


# --- stranded clients --------------------------------------------------------------------------------


def after_a_take_over() -> Story:
    told = story().run().node_holds("n1", 0, 3).node_holds("n2", 3.7, None).ended(12)
    for node in NODES:
        told.power(node, 0)
    told.connects("c1", 1, 3, ok=True).answers_tcp("n1", 1, 3, client="c1")
    return told.connects("c1", 3, 9, ok=False)


def test_a_client_that_goes_on_sending_to_a_dead_mac_is_named() -> None:
    told = after_a_take_over().connects("c1", 9, 12, ok=True).answers_arp("n2", 3.7, 12, client="c2")
    verdict = clients_not_stranded(told.history(), VIP)
    assert verdict.outcome is Outcome.VIOLATED
    finding = verdict.evidence[0]
    assert finding.client == "c1"
    assert finding.nodes == ("n2", "n1")
    assert "went on sending to n1" in finding.text
    assert "5.30 s of it" in finding.text


def test_another_clients_success_shows_it_as_well() -> None:
    told = after_a_take_over().connects("c2", 3.7, 9, ok=True)
    assert clients_not_stranded(told.history(), VIP).outcome is Outcome.VIOLATED


def test_an_outage_for_everybody_strands_nobody() -> None:
    told = after_a_take_over().connects("c2", 3, 9, ok=False).connects("c2", 9, 10, ok=True)
    assert clients_not_stranded(told.history(), VIP).outcome is Outcome.HOLDS


def test_a_lonely_client_without_other_witnesses_is_unknown() -> None:
    told = story().run().connects("c1", 1, 3, ok=True).connects("c1", 3, 9, ok=False).ended(9)
    assert clients_not_stranded(told.history(), VIP).outcome is Outcome.UNKNOWN


def test_a_client_that_a_fault_cuts_off_is_not_stranded() -> None:
    told = after_a_take_over().connects("c2", 3.7, 9, ok=True).fault("isolate", "c1", at=2.99, until=9)
    assert clients_not_stranded(told.history(), VIP).outcome is Outcome.HOLDS


def test_who_speaks_while_another_one_surely_holds_is_stale_however_soon_he_holds_again() -> None:
    """As a thawed holder does that is to lead again: what it sends before is no less stale."""
    told = story().run().node_holds("n1", 0, 3).node_holds("n2", 4, 7.0).node_holds("n1", 7.005, None).ended(9)
    assert only_the_holder_speaks(told.announced("n1", 6.995).history(), VIP).outcome is Outcome.HOLDS
    assert only_the_holder_speaks(told.announced("n1", 6.97).history(), VIP).outcome is Outcome.VIOLATED
    assert only_the_holder_speaks(told.stalled(7.0, 0.1).history(), VIP).outcome is Outcome.HOLDS
