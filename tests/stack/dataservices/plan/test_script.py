"""What a server's shell does for a plan, done by a real shell on real files."""

import hashlib
import os
import random
import stat
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.stack.dataservices.plan.core import Absent, Action, Carried, Check, Command, Directory, File
from harness.stack.dataservices.plan.script import arrived, incoming, script_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="owners are set by root")


def run(*actions: Action) -> "subprocess.CompletedProcess[str]":
    """As over SSH: the script is the shell's standard input."""
    return subprocess.run(["sh", "-s"], input=script_of(actions), capture_output=True, text=True, check=False)


def said(*actions: Action) -> list[str]:
    """changed or same, action by action."""
    done = run(*actions)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [int(number) for number, _ in lines] == list(range(len(actions)))
    return [how for _, how in lines]


def owner(path: Path) -> tuple[int, str, str]:
    """Mode, owner and group."""
    return stat.S_IMODE(path.stat().st_mode), path.owner(), path.group()


def test_folders_and_files_are_made_and_then_found(tmp_path: Path) -> None:
    folder, file = tmp_path / "a" / "b", tmp_path / "a" / "b" / "it's $here"
    content = "one\n'two' $three `four` \\five\\n\n\tEND_OF_CONTENT\n" * 50
    actions = (Directory(str(folder), 0o750, "root:daemon"), File(str(file), content, 0o640, "daemon:root"))
    assert said(*actions) == ["changed", "changed"]
    assert said(*actions) == ["same", "same"]
    assert file.read_text() == content
    assert owner(folder) == (0o750, "root", "daemon")
    assert owner(file) == (0o640, "daemon", "root")
    assert [one.name for one in folder.iterdir()] == [file.name]


@pytest.mark.parametrize("spoil", ["chmod 666", "chown daemon", "truncate -s 3"])
def test_what_drifted_is_put_right(tmp_path: Path, spoil: str) -> None:
    action = File(str(tmp_path / "f"), "content\n", 0o600)
    assert said(action) == ["changed"]
    subprocess.run([*spoil.split(), str(tmp_path / "f")], check=True)
    assert said(action) == ["changed"]
    assert said(action) == ["same"]
    assert owner(tmp_path / "f") == (0o600, "root", "root")


def test_the_setgid_bit_of_a_folder_is_drift_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "of-a-package"
    folder.mkdir()
    folder.chmod(0o2770)
    action = Directory(str(folder), 0o750)
    assert said(action) == ["changed"]
    assert said(action) == ["same"]
    assert owner(folder) == (0o750, "root", "root")


def test_a_file_of_its_programs_own_keeps_its_content_and_not_its_mode(tmp_path: Path) -> None:
    action = File(str(tmp_path / "f"), "first\n", 0o640, once=True)
    assert said(action) == ["changed"]
    (tmp_path / "f").write_text("state of the program\n")
    assert said(action) == ["same"]
    (tmp_path / "f").chmod(0o666)
    assert said(action) == ["changed"]
    assert (tmp_path / "f").read_text() == "state of the program\n"
    assert owner(tmp_path / "f") == (0o640, "root", "root")


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    assert said(File(str(tmp_path / "f"), "")) == ["changed"]
    assert said(File(str(tmp_path / "f"), "")) == ["same"]


@pytest.mark.parametrize("action", [Directory, lambda path: File(path, "content\n")])
def test_links_are_not_followed(tmp_path: Path, action: type[Directory]) -> None:
    (tmp_path / "target").write_text("of somebody else\n")
    (tmp_path / "link").symlink_to("target")
    done = run(action(str(tmp_path / "link")))
    assert done.returncode == 1
    assert str(tmp_path / "link") in done.stderr
    assert (tmp_path / "target").read_text() == "of somebody else\n"


def test_nothing_is_left_of_what_has_to_be_absent(tmp_path: Path) -> None:
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "deep" / "file").write_text("x")
    (tmp_path / "folder.keyservices").write_text("half written")
    (tmp_path / "folder2").write_text("somebody else's")
    (tmp_path / "link").symlink_to(tmp_path / "folder2")
    actions = (Absent(f"{tmp_path}/folder"), Absent(f"{tmp_path}/link"))
    assert said(*actions) == ["changed", "changed"]
    assert said(*actions) == ["same", "same"]
    assert [one.name for one in tmp_path.iterdir()] == ["folder2"], "a link goes, and not what it leads to"


def test_what_is_mounted_in_it_stays_and_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "mounted").mkdir(parents=True)
    (folder / "file").write_text("x")
    script = f"mount --make-rprivate /; mount -t tmpfs none {folder}/mounted; touch {folder}/mounted/theirs; sh -s"
    command = ["unshare", "--mount", "sh", "-c", script]
    done = subprocess.run(command, input=script_of([Absent(str(folder))]), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"something is mounted at {folder}/mounted" in done.stderr
    assert (folder / "file").exists()


def carried(folder: Path, mode: int = 0o755) -> Carried:
    """A program of the installer's, in a folder of its own."""
    (folder / "installer").mkdir(exist_ok=True)
    source = folder / "installer" / "program"
    source.write_bytes(bytes(range(256)) * 100)
    return Carried(f"{folder}/it's here", str(source), hashlib.sha256(source.read_bytes()).hexdigest(), mode)


def sent(one: Carried, content: bytes) -> None:
    """As the installer sends it."""
    subprocess.run(["sh", "-c", incoming(one)], input=content, check=True)


def test_what_is_carried_gets_to_its_place_whole_or_not_at_all(tmp_path: Path) -> None:
    action = carried(tmp_path)
    target = Path(action.path)
    assert "did not come as the installer has it" in run(action).stderr
    sent(action, Path(action.source).read_bytes()[:-1])
    assert "did not come as the installer has it" in run(action).stderr
    assert not target.exists()
    sent(action, Path(action.source).read_bytes())
    assert said(action) == ["changed"]
    assert said(action) == ["same"]
    assert target.read_bytes() == Path(action.source).read_bytes()
    assert owner(target) == (0o755, "root", "root")
    assert not list(tmp_path.glob("*.keyservices"))


@pytest.mark.parametrize("spoil", ["chmod 666", "chown daemon", "truncate -s 3"])
def test_what_was_carried_and_is_another_now_is_replaced(tmp_path: Path, spoil: str) -> None:
    action = carried(tmp_path)
    sent(action, Path(action.source).read_bytes())
    assert said(action) == ["changed"]
    assert said(arrived(action)) == ["same"]
    subprocess.run([*spoil.split(), action.path], check=True)
    if run(arrived(action)).returncode:
        sent(action, Path(action.source).read_bytes())
    assert said(action) == ["changed"]
    assert said(action) == ["same"]
    assert Path(action.path).read_bytes() == Path(action.source).read_bytes()


def test_a_command_is_done_until_it_is_so(tmp_path: Path) -> None:
    target = tmp_path / "made"
    action = Command(f"cat >{target}", f"test -s {target}", stdin="secret\n")
    assert said(action) == ["changed"]
    assert said(action) == ["same"]
    assert target.read_text() == "secret\n"


def test_a_command_that_fails_or_changes_nothing_is_a_failure(tmp_path: Path) -> None:
    assert "failed: exit 3" in run(Command("exit 3", "false")).stderr
    assert "was done, and is not so" in run(Command("true", "false")).stderr


def test_nothing_after_a_failure_is_done(tmp_path: Path) -> None:
    done = run(File(str(tmp_path / "a"), "a"), Command("false", "false"), File(str(tmp_path / "b"), "b"))
    assert done.stdout == "0 changed\n"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_a_check_waits_and_then_says_what_it_saw(tmp_path: Path) -> None:
    target = tmp_path / "soon"
    subprocess.Popen(["sh", "-c", f"sleep 0.5; touch {target}"])
    assert said(Check(f"test -e {target}", 10)) == ["same"]
    done = run(Check("echo nobody answers; false", 0.2))
    assert done.returncode == 1
    assert done.stderr == "is not so after 0.2 s: echo nobody answers; false (nobody answers)\n"


def test_commands_that_read_do_not_eat_the_script(tmp_path: Path) -> None:
    actions = (Command(f"cat; touch {tmp_path}/a", f"test -e {tmp_path}/a"), Check("cat", 1), File(f"{tmp_path}/b", ""))
    assert said(*actions) == ["changed", "same", "changed"]


def test_a_secret_is_on_no_command_line(tmp_path: Path) -> None:
    secret, file = "s3cretsecretsecret", tmp_path / "f"
    looked = f"for one in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$one 2>/dev/null; done >{tmp_path}/seen"
    actions = (
        File(str(file), secret, 0o600),
        Command(f"{looked}; cat >/dev/null", f"test -s {tmp_path}/seen", stdin=secret),
    )
    assert said(*actions) == ["changed", "changed"]
    assert "sh -s" in (tmp_path / "seen").read_text()
    assert secret not in (tmp_path / "seen").read_text()


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file, its mode and content."""
    return {
        str(one.relative_to(folder)): (stat.S_IMODE(one.stat().st_mode), one.read_text() if one.is_file() else "")
        for one in folder.rglob("*")
        if not one.name.endswith(".keyservices")
    }


def killed_after(actions: Sequence[Action], after_s: float) -> bool:
    """Run the script and kill its shell with all it started; whether that came before its end."""
    process = subprocess.Popen(
        ["sh", "-s"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    )
    assert process.stdin is not None
    process.stdin.write(script_of(actions))
    process.stdin.close()
    deadline = time.monotonic() + after_s
    while time.monotonic() < deadline and process.poll() is None:
        pass
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, 9)
    process.wait()
    return alive


def test_killed_anywhere_and_called_again_it_ends_the_same(tmp_path: Path) -> None:
    def actions(folder: Path) -> list[Action]:
        made: list[Action] = [Directory(str(folder / "deep"), 0o700)]
        made += [File(str(folder / "deep" / f"f{one}"), f"{one}\n" * 3000, 0o640) for one in range(12)]
        return made

    assert run(*actions(tmp_path / "whole")).returncode == 0
    chance, killed = random.Random(5), 0
    for trial in range(20):
        folder = tmp_path / f"trial{trial}"
        killed += killed_after(actions(folder), chance.uniform(0, 0.15))
        # What is seen under its own name is whole at every moment.
        assert all(path.read_text() == f"{path.name[1:]}\n" * 3000 for path in folder.rglob("f*") if path.suffix == "")
        assert run(*actions(folder)).returncode == 0
        assert tree(folder) == tree(tmp_path / "whole")
        assert not list(folder.rglob("*.keyservices"))
    assert killed, "every script had ended before it could be killed"


def looked_at(*actions: Action) -> "subprocess.CompletedProcess[str]":
    """Nothing is to be changed."""
    return subprocess.run(
        ["sh", "-s"], input=script_of(actions, look=True), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("spoil", ["rm", "chmod 666", "truncate -s 3"])
def test_who_looks_changes_nothing_and_finds_what_is_not_so(tmp_path: Path, spoil: str) -> None:
    folder, file, flag = tmp_path / "a", tmp_path / "a" / "f", tmp_path / "flag"
    actions = (
        Directory(str(folder), 0o750),
        File(str(file), "content\n", 0o600),
        Command(f"touch {flag}", f"test -e {flag}"),
        Check(f"test -e {flag}", 1),
    )
    done = looked_at(*actions)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "is not so\n")
    assert not [*tmp_path.iterdir()]
    assert said(*actions) == ["changed", "changed", "changed", "same"]
    done = looked_at(*actions)
    assert (done.returncode, done.stdout) == (0, "0 same\n1 same\n2 same\n3 same\n")
    subprocess.run([*spoil.split(), str(file)], check=True)
    before = tree(tmp_path)
    done = looked_at(*actions)
    assert (done.returncode, done.stdout, done.stderr) == (1, "0 same\n", "is not so\n")
    assert tree(tmp_path) == before


def test_who_looks_does_no_command(tmp_path: Path) -> None:
    done = looked_at(Command(f"touch {tmp_path}/done", f"test -e {tmp_path}/done"))
    assert (done.returncode, done.stderr) == (1, "is not so\n")
    assert not [*tmp_path.iterdir()]


def test_who_looks_does_not_wait_as_long_as_who_installs(tmp_path: Path) -> None:
    done = looked_at(Check(f"echo x >>{tmp_path}/tried; false", 0.4))
    assert done.returncode == 1
    assert len((tmp_path / "tried").read_text().split()) == 3
