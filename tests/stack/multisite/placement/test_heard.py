"""Ages and leases, as they follow from what machines said."""

from harness.stack.multisite.inventory.reports import Report, Running
from harness.stack.multisite.placement.core import Phase
from harness.stack.multisite.placement.heard import Heard, Patience

PATIENCE = Patience(silent_s=2.0, lease_s=5.0, margin_s=1.0)


def report(*replicas: int) -> Report:
    containers = [Running(name=f"c{one}", service="api", replica=one) for one in replicas]
    return Report(site="dijon", address="10.0.0.1", cpu_millis=1, memory_mb=1, containers=containers)


def test_who_begins_takes_everybody_for_heard_and_every_lease_for_given() -> None:
    heard = Heard(PATIENCE, 100.0)
    assert heard.alive("d1", 101.9)
    assert not heard.alive("d1", 102.1)
    assert not heard.lease_over("d1", 105.9)
    assert heard.lease_over("d1", 106.1)
    assert not heard.gone("d1", 1)


def test_a_lease_is_over_a_margin_after_the_last_report_that_renewed_it() -> None:
    heard = Heard(PATIENCE, 100.0)
    heard.report("d1", report(), 110.0, leased=True)
    heard.report("d1", report(), 112.0, leased=False)
    assert heard.alive("d1", 113.9)
    assert not heard.lease_over("d1", 115.9)
    assert heard.lease_over("d1", 116.1)


def test_what_a_machine_does_not_name_is_gone() -> None:
    heard = Heard(PATIENCE, 100.0)
    heard.report("d1", report(1), 110.0, leased=False)
    assert not heard.gone("d1", 1)
    assert heard.gone("d1", 2)
    assert heard.container("d1", 1) is not None


def test_while_we_were_deaf_nobody_was_silent() -> None:
    heard = Heard(PATIENCE, 100.0)
    heard.report("d1", report(), 101.0, leased=False)
    heard.deaf_until(200.0)
    assert heard.alive("d1", 201.0)
    assert heard.alive("d2", 201.0)


def test_ages_count_from_the_change() -> None:
    heard = Heard(PATIENCE, 100.0)
    assert heard.phase_age_s(1, Phase.run, 110.0) == 0
    assert heard.phase_age_s(1, Phase.run, 112.0) == 2
    assert heard.phase_age_s(1, Phase.drain, 113.0) == 0
    assert heard.ailing_s(1, 110.0, well=False) > 0
    assert heard.ailing_s(1, 112.0, well=False) == 2
    assert heard.ailing_s(1, 113.0, well=True) == 0
    assert heard.ailing_s(1, 114.0, well=False) < 1
    heard.only([])
    assert heard.phase_age_s(1, Phase.drain, 120.0) == 0
