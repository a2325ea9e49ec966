"""What is left in daemons: whose it is, and images that nobody needs any more."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness.engines import remains
from harness.engines.choice import DAEMONS
from harness.engines.daemons import chosen_daemon
from harness.engines.engine import NodeDefinition
from harness.engines.imported import NAMED, image_key
from harness.engines.remains import instance_name, note_daemon
from harness.procfs import command_words
from harness.reap import destroy, leftovers
from harness.rundir import RunDirectory
from tests.engines.hosted_runs import engines, needs


@pytest.fixture
def image(node_image: Path, tmp_path: Path) -> Path:
    """An image of somebody's own."""
    subprocess.run(["cp", "--archive", node_image, tmp_path / "mine"], check=True)
    return tmp_path / "mine"


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs(name)) for name in DAEMONS])
async def test_an_image_goes_with_all_that_was_made_from_it(
    name: str, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, key = chosen_daemon(DAEMONS[name]), image_key(image)
    assert key.startswith(NAMED)
    async with engines(name) as make:
        engine = make()
        await engine.create(NodeDefinition("n1", image))
        assert key in daemon.images()
        runs = daemon.runs()
        assert [one for one in runs if one.startswith(f"test-{name}-{os.getpid()}-")]
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(remains, "owner", lambda: "harness-of-another-host-")
            assert not daemon.runs() & runs
        if name == "docker":
            assert "is using" in daemon.remove_image(key)
            assert key in daemon.images()
        await engine.destroy("n1")
        assert daemon.remove_image(key) == ""
        assert key not in daemon.images()
        await engine.create(NodeDefinition("n1", image))  # whoever needs it after all, imports it again
        assert await engine.start("n1")
        await engine.destroy("n1")
        assert daemon.remove_image(key) == ""


@pytest.mark.parametrize("name", [pytest.param("lxd", marks=needs("lxd"))])
def test_what_lxd_runs_beside_a_node_goes_with_it(name: str) -> None:
    """A node that dies in the midst of its start leaves LXD's helper behind, which LXD then waits for at its end."""
    run = RunDirectory.create(f"test-{name}-{os.getpid()}-beside")
    note_daemon(run, chosen_daemon(DAEMONS[name]))
    words = [f"[lxc monitor] /containers {instance_name(run.run_id, 'n1')}", "60"]
    with subprocess.Popen(words, executable="/bin/sleep") as beside:
        try:
            while not command_words(beside.pid):  # in the midst of execve(2), it has none yet
                assert beside.poll() is None
            listed = [line for line in leftovers(run.run_id) if line.startswith(f"process {beside.pid} ")]
            destroy(run)
            assert (len(listed), beside.wait(timeout=10)) == (1, -signal.SIGKILL)
        finally:
            beside.kill()
            destroy(run)
