"""A file is sent through SSH: in its place a program that does here what it is to do there."""

import hashlib
from pathlib import Path

import pytest

from harness.stack.dataservices.installer.ssh import ScriptFailed, Ssh, Unreachable
from harness.stack.dataservices.plan.core import Carried
from tests.stack.dataservices.servers import small

SSH = """#!/bin/sh
for last; do :; done
exec sh -c "$last"
"""
SUDO = """#!/bin/sh
[ "$1" = -n ] && shift && echo "$*" >>"$(dirname "$0")/asked" && exec "$@"
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first in PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("ssh", SSH), ("sudo", SUDO)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def carried(folder: Path) -> Carried:
    """A file with every byte in it."""
    source = folder / "source"
    source.write_bytes(bytes(range(256)) * 4000)
    return Carried(f"{folder}/it's there", str(source), hashlib.sha256(source.read_bytes()).hexdigest())


@pytest.mark.parametrize("user", ["root", "admin"])
def test_what_is_sent_arrives_beside_its_place_byte_for_byte(programs: Path, tmp_path: Path, user: str) -> None:
    one = carried(tmp_path)
    Ssh(Path("key"), Path("known_hosts"), user).send(small().named("redis-01"), one)
    arrived = Path(f"{one.path}.keyservices")
    assert arrived.read_bytes() == Path(one.source).read_bytes()
    assert not arrived.stat().st_mode & 0o077
    assert not Path(one.path).exists()
    assert (programs / "asked").exists() is (user != "root")


def test_who_cannot_be_logged_in_to_is_told_from_who_cannot_take_it(programs: Path, tmp_path: Path) -> None:
    one, shell = carried(tmp_path), Ssh(Path("key"), Path("known_hosts"))
    (programs / "ssh").write_text("#!/bin/sh\necho 'no route' >&2\nexit 255\n")
    with pytest.raises(Unreachable, match="no route"):
        shell.send(small().named("redis-01"), one)
    (programs / "ssh").write_text("#!/bin/sh\necho 'no space left' >&2\nexit 1\n")
    with pytest.raises(ScriptFailed, match="no space left"):
        shell.send(small().named("redis-01"), one)
