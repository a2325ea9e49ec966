"""Containers and all that is theirs, of a real Docker daemon that is this test's alone."""

import io
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.stack.dataservices.cleanup import gone
from harness.stack.dataservices.plan.script import script_of

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("dockerd") is None or shutil.which("docker") is None,
    reason="needs root, and Docker (harness engine install docker)",
)
UP_WITHIN_S = 40.0
_ALONE = "mount --make-rprivate / && mount -t tmpfs none /run && ip link set lo up && exec "


@dataclass(frozen=True)
class Daemon:
    """Whoever is told to reach it reaches no other one: it is named in the environment of each command."""

    socket: str

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{self.socket}", "HOME": "/nonexistent"}

    def docker(self, *words: str, stdin: bytes = b"") -> str:
        """What the command says; it has to be done."""
        done = subprocess.run(["docker", *words], input=stdin, capture_output=True, check=False, env=self.environment)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def cleaned(self) -> "subprocess.CompletedProcess[str]":
        """As over SSH."""
        script = script_of([gone.containers()])
        return subprocess.run(
            ["sh", "-s"], input=script, capture_output=True, text=True, check=False, env=self.environment
        )


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """In a network and with mounts of its own, its data in a folder of this test."""
    found = Daemon(f"{tmp_path}/docker.sock")
    # Sockets are in its own /run: the name of one has at most 107 characters.
    words = f"dockerd --data-root {tmp_path}/data --exec-root /run/d --pidfile {tmp_path}/pid -H unix://{found.socket}"
    settings = "--iptables=false --ip6tables=false --storage-driver vfs"
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "--net", "sh", "-c", f"{_ALONE}{words} {settings}"], stdout=log, stderr=log
        )
    try:
        deadline_s = time.monotonic() + UP_WITHIN_S
        while subprocess.run(["docker", "info"], capture_output=True, check=False, env=found.environment).returncode:
            assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
            assert time.monotonic() < deadline_s, "it does not answer"
            time.sleep(0.2)
        yield found
    finally:
        process.terminate()
        process.wait(timeout=30)


def image(daemon: Daemon, name: str) -> None:
    """One with a single file in it."""
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w") as archive:
        info = tarfile.TarInfo(f"of-{name}")
        archive.addfile(info)
    daemon.docker("import", "-", name, stdin=text.getvalue())


def left(daemon: Daemon) -> list[str]:
    """Whatever it has that it did not begin with."""
    networks = [one for one in daemon.docker("network", "ls", "--format", "{{.Name}}").split() if one.startswith("net")]
    lists = (("ps", "-aq"), ("images", "-aq"), ("volume", "ls", "-q"))
    # An image with two names is there twice.
    return sorted({*(line for words in lists for line in daemon.docker(*words).split()), *networks})


@pytest.mark.promise("S4-12", "S4-13", "S4-14")
def test_containers_images_volumes_and_networks_are_gone_and_stay_gone(daemon: Daemon) -> None:
    for name in ("one", "two"):
        image(daemon, name)
        daemon.docker("tag", name, f"{name}:second")
        daemon.docker("volume", "create", f"vol-{name}")
        daemon.docker("network", "create", f"net-{name}")
        daemon.docker("create", "--name", name, "-v", f"vol-{name}:/data", name, "/nothing")
    daemon.docker("volume", "create")
    assert len(left(daemon)) == 9
    done = daemon.cleaned()
    assert (done.returncode, done.stdout) == (0, "0 changed\n"), done.stderr
    assert left(daemon) == []
    assert {"bridge", "host", "none"} <= set(daemon.docker("network", "ls", "--format", "{{.Name}}").split())
    assert daemon.cleaned().stdout == "0 same\n"


def test_a_daemon_that_does_not_answer_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    nobody = Daemon(f"{tmp_path}/nobody.sock")
    done = nobody.cleaned()
    assert done.returncode == 1
    assert "no containers" not in done.stdout


def test_where_no_engine_is_there_is_nothing_to_do(tmp_path: Path) -> None:
    for program in ("sh", "base64", "cat", "grep", "sort"):
        (tmp_path / program).symlink_to(shutil.which(program) or program)
    done = subprocess.run(
        ["sh", "-c", gone.NO_CONTAINERS], capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)}
    )
    assert (done.returncode, done.stderr) == (0, "")
