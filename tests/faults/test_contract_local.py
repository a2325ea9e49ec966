"""Every fault on the local engine."""

import asyncio
import os
import re
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from harness.history import History
from harness.journal import Journal
from harness.rundir import RunDirectory
from harness.upright import take_up
from harness.wait import until
from tests.contracts.fault import FaultContract, refused_without

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")


class TestFaultsOnLocal(FaultContract):
    """Nodes without a daemon."""

    engine = "local"

    @pytest.mark.parametrize(
        ("controller", "words"),
        [
            ("cpu", ("slow", "n2")),
            ("memory", ("squeeze-memory", "n2", "redis-server")),
            ("pids", ("exhaust-pids", "n2")),
        ],
    )
    def test_it_is_refused_on_a_host_without_the_controller(
        self, run_id: str, controller: str, words: tuple[str, ...]
    ) -> None:
        """A host with control groups of version 1, in a mount namespace where this controller is not mounted."""
        if not Path("/sys/fs/cgroup", controller).is_dir():
            pytest.skip("version 2: its controllers are one mount")
        cluster = take_up(run_id)
        before = len(History.read(cluster.run_directory).events)
        done = refused_without(controller, run_id, *words)
        assert done.returncode == 2, done
        assert f"{words[0]} is impossible here: no controller {controller}" in done.stderr
        assert len(History.read(cluster.run_directory).events) == before
        cluster.let_go()

    async def test_the_fault_of_the_guide_works_as_it_stands_there(self, run_id: str, tmp_path: Path) -> None:
        """As a package of somebody else's; healed by its own command, and by the keeper when that is killed."""
        guide = (ROOT / "docs/faults.md").read_text()
        (tmp_path / "my_faults.py").write_text(_block(guide, "python"))
        metadata = tmp_path / "mine-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
        points = _block(guide, "toml").replace('[project.entry-points."harness.faults"]', "[harness.faults]")
        (metadata / "entry_points.txt").write_text(points.replace('"', ""))
        command = [sys.executable, "-m", "harness.cli.main", "fault", "--cluster", run_id]
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
        words = ["small-mtu", "n2", "--longest", "700"]
        done = await asyncio.create_subprocess_exec(*command, "--for", "0.1", *words, env=environment, stdout=PIPE)
        said, _ = await done.communicate()
        assert done.returncode == 0, said
        assert b"it bites" in said
        assert b"small-mtu: healed" in said
        killed = await asyncio.create_subprocess_exec(*command, *words, env=environment, stdout=PIPE)
        assert killed.stdout is not None
        while b"it bites" not in (line := await killed.stdout.readline()):
            assert line, "it does not bite"
        assert self.mtu(run_id) == 700
        killed.kill()
        await killed.wait()
        await until(
            lambda: not Journal(RunDirectory(run_id)).open_faults(),
            within_s=20.0,
            what="the keeper heals what it is told",
        )
        assert self.mtu(run_id) == 1500

    def mtu(self, run_id: str) -> int:
        """Of n2, as its kernel says."""
        cluster = take_up(run_id)
        pid = cluster.engine.pid("n2")
        cluster.let_go()
        command = ["nsenter", "--target", str(pid), "--net", "ip", "-o", "link", "show", "eth0"]
        found = re.search(r" mtu (\d+) ", subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert found is not None
        return int(found[1])


def _block(text: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]
