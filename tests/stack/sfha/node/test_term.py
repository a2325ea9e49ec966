"""When services may run, and how a term ends."""

from harness.stack.sfha.node.term import RUN_ON_S, Term

UP = frozenset({"web"})


def may_run(term: Term, now_s: float, *, held: bool = True, leads: bool = True, settled: bool = True) -> bool:
    return term.may_run(held=held, leads=leads, settled=settled, up=UP, now_s=now_s)


def test_services_start_when_every_address_is_settled_and_not_before() -> None:
    term = Term()
    assert not may_run(term, 1.0, settled=False)
    assert may_run(term, 1.1)
    assert may_run(term, 1.2, settled=False)  # one more address is on its way


def test_a_hiccup_of_the_lease_does_not_stop_them_but_losing_leadership_does() -> None:
    term = Term()
    may_run(term, 1.0)
    assert may_run(term, 1.1, held=False)
    assert term.up(held=False, up=frozenset()) == UP
    assert term.wake_s(busy=True, held=False, now_s=1.1) == 1.0 + RUN_ON_S
    assert not may_run(term, 1.2, held=False, leads=False)
    assert not may_run(term, 1.0 + RUN_ON_S, held=False)


def test_a_hand_over_begins_once_and_has_an_end() -> None:
    term = Term()
    may_run(term, 1.0)
    assert term.hand_over(True, 5.0, 1.0)
    assert not term.hand_over(True, 5.0, 2.0)
    assert not may_run(term, 2.0)
    assert term.draining(5.9)
    assert not term.draining(6.0)
    assert not term.hand_over(False, 5.0, 6.0)
    assert not term.ending


def test_what_goes_on_unchanged_counts_to_the_end() -> None:
    term = Term()
    term.goes_on(0.5)
    assert not may_run(term, 0.6, held=False)
    may_run(term, 1.0)
    term.goes_on(5.0)
    assert may_run(term, 5.0 + RUN_ON_S - 0.1, held=False)
    term.goes_on(6.5)  # it runs on without the lease: that is not going on
    assert not may_run(term, 6.5, held=False)
