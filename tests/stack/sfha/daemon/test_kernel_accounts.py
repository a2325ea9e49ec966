"""What the kernel says it has kept from threads and from the machine."""

import os
import threading
from pathlib import Path

import pytest

from harness.stack.sfha.daemon import kernel_accounts
from harness.stack.sfha.daemon.kernel_accounts import OthersWait, OwnWait, Stolen

STAT = "cpu  18015 0 4419 37211 324 0 86 42 0 0\ncpu0 6547 0 1681 21753 21 0 20 21 0 0\n"


def test_what_the_host_took_is_read_from_the_line_of_all_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "stat"
    told.write_text(STAT)
    monkeypatch.setattr(kernel_accounts, "PROCESSORS", told)
    monkeypatch.setattr(os, "sysconf", lambda _name: 100)
    assert Stolen()() == 0.42


@pytest.mark.parametrize("content", ["", "cpu  1 2 3\n", "cpu  1 2 3 4 5 6 7 x 0 0\n", None])
def test_a_kernel_that_does_not_tell_has_taken_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    told = tmp_path / "stat"
    if content is not None:
        told.write_text(content)
    monkeypatch.setattr(kernel_accounts, "PROCESSORS", told)
    assert Stolen()() == 0.0


def test_waiting_adds_up_and_never_runs_backwards() -> None:
    """Two threads that both want to compute have to wait for each other or for a processor."""
    own, others, stop = OwnWait(), OthersWait(), threading.Event()

    def computes() -> None:
        while not stop.is_set():
            sum(range(1000))

    beside = [threading.Thread(target=computes) for _ in range(3)]
    before = own(), others(), Stolen()()
    for thread in beside:
        thread.start()
    for _ in range(200):
        sum(range(1000))
    stop.set()
    after = own(), others(), Stolen()()
    for thread in beside:
        thread.join()
    assert all(now >= then for now, then in zip(after, before, strict=True))
