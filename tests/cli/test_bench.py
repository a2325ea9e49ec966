"""``harness bench`` as a person calls it, and ends it."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.clusters import HARNESS, ROOT, refused


@pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root, and that is said first")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("faults", "--runs", "0"), "Invalid value for '--runs'"),
        (("faults", "--only", "earthquake"), "--only earthquake: nothing that is measured is called so; there are: "),
        (("links", "--scale", "-1"), "Invalid value for '--scale'"),
        (("checks", "--most", "0"), "Invalid value for '--most'"),
        (("steadiness", "--minutes", "-1"), "Invalid value for '--minutes'"),
        (("idle", "--profile", "nope"), "Invalid value for '--profile'"),
        (("planted", "--only", "nope"), "--only nope: nothing that is measured is called so; there are: "),
        (("planted", "--results", "/etc/hosts"), "--results /etc/hosts is there already: --resume goes on with it"),
        (("planted", "--results", "/etc/hosts", "--resume"), "/etc/hosts: no results of searches"),
    ],
)
def test_what_would_measure_nothing_is_refused_at_once(words: tuple[str, ...], told: str) -> None:
    assert told in refused("bench", *words)


def test_where_the_result_cannot_be_written_nothing_is_measured(tmp_path: Path) -> None:
    words = ("bench", "--into", str(tmp_path / "nowhere/page.md"), "checks", "--most", "1000")
    assert "page.md: No such file or directory" in refused(*words)


def test_ended_by_a_signal_it_leaves_nothing(tmp_path: Path) -> None:
    measuring = subprocess.Popen(
        [*HARNESS, "bench", "checks"],
        cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert measuring.stderr is not None
        assert measuring.stderr.readline(), "it says what it measures"
        assert any(tmp_path.glob("harness-bench-*"))
        measuring.send_signal(signal.SIGTERM)
        assert measuring.wait(60) == 130
    finally:
        measuring.kill()
        measuring.communicate()
    assert list(tmp_path.iterdir()) == []
