"""Nobody is told anything before a real power program has said that the server has no power."""

from pathlib import Path

import pytest

from harness.stack.dataservices.failover.act import ATTEMPTS, NotDone, NotProven, Power, TakingOver, returned
from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Command, Plan
from harness.stack.dataservices.postgresql.takeover import leads_no_more
from tests.stack.dataservices.servers import POSTGRESQL

INVENTORY = read(POSTGRESQL)
DEAD = INVENTORY.named("pg-01")
OTHERS = [INVENTORY.named(name) for name in ("pg-02", "pg-03", "lb-01", "lb-02")]


def power(folder: Path, script: str) -> Power:
    """A program that notes how it was called."""
    program = folder / "power"
    program.write_text(f'#!/bin/sh\necho "$@" >>{folder}/calls\n{script}\n')
    program.chmod(0o755)
    return Power(str(program))


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def take_over(switch: Power, fails: str = "") -> tuple[list[str], list[str]]:
    """The stages that were carried out, and what was said; the stage that ``fails`` does so every time."""
    stages: list[str] = []
    said: list[str] = []

    def carry_out(plan: Plan) -> None:
        (stage,) = plan.stages
        if fails and stage.name.endswith(fails):
            raise NotDone("pg-03: no route")
        stages.append(stage.name)

    told = {"pg-02": leads_no_more(DEAD)}
    TakingOver(DEAD, OTHERS, told, switch, carry_out, said.append).run()
    return stages, said


def test_the_power_is_taken_then_it_refuses_and_then_its_lease_is_over(tmp_path: Path) -> None:
    stages, _ = take_over(power(tmp_path, 'test "$1" = off || echo off'))
    assert calls(tmp_path) == ["off pg-01", "status pg-01"]
    assert stages == ["pg-01 refuses", "pg-01 leads no more"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo out of order >&2; exit 3", "off pg-01: out of order"),
        ("exit 1", "off pg-01: exit code 1"),
        ("echo on", "says 'on', and not off"),
        ("true", "says '', and not off"),
        ('test "$1" = off', "status pg-01: exit code 1"),
    ],
)
def test_without_proof_nobody_is_told_anything(tmp_path: Path, script: str, why: str) -> None:
    told: list[Plan] = []
    taking = TakingOver(DEAD, OTHERS, {}, power(tmp_path, script), told.append, print)
    with pytest.raises(NotProven, match=why):
        taking.run()
    assert told == []
    assert calls(tmp_path).count("off pg-01") == ATTEMPTS


def test_whoever_is_away_as_well_does_not_hold_up_the_others(tmp_path: Path) -> None:
    stages, said = take_over(power(tmp_path, "echo off"), fails="refuses")
    assert stages == ["pg-01 leads no more"]
    assert said == ["goes on without: pg-03: no route"]


def test_a_lease_that_could_not_be_revoked_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotDone, match="no route"):
        take_over(power(tmp_path, "echo off"), fails="no more")


def test_when_it_is_back_everybody_reaches_it_again() -> None:
    (stage,) = returned(DEAD, OTHERS).stages
    assert set(stage.actions) == {"pg-02", "pg-03", "lb-01", "lb-02"}
    for (does,) in stage.actions.values():
        assert isinstance(does, Command)
        assert does.command == "ip -4 rule del priority 60 to 10.0.0.11 ipproto 6 unreachable"
