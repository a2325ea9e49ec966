"""Who is told what when a server is taken over, by a power program that runs."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from harness.stack.dataservices.cli.takeover import take_over
from harness.stack.dataservices.installer.ssh import Ssh
from harness.stack.dataservices.inventory.core import Server, read
from harness.stack.dataservices.plan.module import ModuleImpossible
from tests.stack.dataservices.servers import POSTGRESQL, RABBITMQ


class Told:
    """In the place of SSH: what each server was told, all of which is done at once."""

    def __init__(self) -> None:
        self.scripts: dict[str, str] = {}

    def run(self, server: Server, script: str, line: Callable[[str], None]) -> None:
        self.scripts[server.name] = self.scripts.get(server.name, "") + script


@pytest.fixture
def power(tmp_path: Path) -> str:
    program = tmp_path / "power"
    program.write_text("#!/bin/sh\necho off\n")
    program.chmod(0o755)
    return str(program)


def told(table: str, node: str, power: str) -> dict[str, str]:
    shell = Told()
    take_over(Namespace(node=node, power=power), read(table), cast("Ssh", shell))
    return shell.scripts


def test_whoever_waits_for_a_rabbitmq_has_its_connections_to_it_ended_and_is_told_no_more(power: str) -> None:
    scripts = told(RABBITMQ, "mq-01", power)
    assert set(scripts) == {"mq-02", "mq-03", "lb-01", "lb-02"}
    assert [name for name, script in scripts.items() if "ss -K dst 10.0.0.11" not in script] == []
    assert not any("etcdctl" in script for script in scripts.values())


def test_one_postgresql_has_its_lease_ended_as_well(power: str) -> None:
    scripts = told(POSTGRESQL, "pg-03", power)
    assert set(scripts) == {"pg-01", "pg-02", "lb-01", "lb-02"}
    assert [name for name, script in scripts.items() if "etcdctl" in script] == ["pg-01"]


def test_who_leads_nothing_is_not_taken_over(power: str) -> None:
    with pytest.raises(
        ModuleImpossible, match="lb-01 is no server of role postgresql or rabbitmq: mq-01, mq-02, mq-03"
    ):
        told(RABBITMQ, "lb-01", power)
