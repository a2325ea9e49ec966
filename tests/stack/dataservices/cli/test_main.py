"""The command line, as people call it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack.dataservices.servers import GALERA, SMALL


def keyservices(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Call it with an inventory and a home of its own."""
    if not (home / "servers.tsv").exists():
        (home / "servers.tsv").write_text(SMALL)
    command = [sys.executable, "-m", "harness.stack.dataservices", "--inventory", str(home / "servers.tsv")]
    return subprocess.run([*command, "--home", str(home), *words], capture_output=True, text=True, check=False)


def test_check_says_who_is_there_and_what_for(tmp_path: Path) -> None:
    done = keyservices(tmp_path, "check")
    assert done.returncode == 0, done.stderr
    assert "haproxy: lb-01 (paris), lb-02 (lyon)\n" in done.stdout
    assert "module 4: Redis HA\n" in done.stdout


def test_a_wrong_inventory_is_exit_code_2_and_a_line_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "servers.tsv").write_text(SMALL.replace("10.0.0.12", "nowhere").replace("lille", "Lille!"))
    done = keyservices(tmp_path, "check")
    assert done.returncode == 2
    assert [line.split(": ")[1].rpartition("/")[2] for line in done.stderr.splitlines()] == [
        "servers.tsv:5:3",
        "servers.tsv:6:4",
    ]


def test_a_dry_run_prints_the_plan_and_makes_nothing(tmp_path: Path) -> None:
    done = keyservices(tmp_path, "install", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "redis: haproxy and watcher\n" in done.stdout
    assert "  lb-02: unit sentinel-watcher.service runs with " in done.stdout
    assert [one.name for one in tmp_path.iterdir()] == ["servers.tsv"]


def test_a_dry_run_says_what_is_decided_only_when_servers_have_been_asked(tmp_path: Path) -> None:
    (tmp_path / "servers.tsv").write_text(GALERA)
    done = keyservices(tmp_path, "install", "--dry-run")
    assert done.returncode == 0, done.stderr
    asked = done.stdout.partition("galera: galera\n")[2].splitlines()
    assert asked[0].startswith("  db-01: tell ")
    assert asked[3] == "  what follows is decided by what they say"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ("install", "--module", "rediss"),
            "there is no module 'rediss'; modules are: 3 postgresql, 4 redis, 5 rabbitmq, 7 galera",
        ),
        (("install", "--from", "12"), "the inventory has servers for no module"),
        (("--inventory", "/nowhere", "check"), "/nowhere: No such file or directory"),
        (("instal",), "invalid choice"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    done = keyservices(tmp_path, *words)
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr
