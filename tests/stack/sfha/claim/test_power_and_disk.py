"""What of claim, history and pardons survives a restart of the daemon, and what of it cannot be read."""

import queue
from dataclasses import replace
from pathlib import Path

import pytest

from harness.stack.sfha.claim.messages import Ballot, Claim, Stored
from harness.stack.sfha.claim.power_and_disk import PowerAndDisk, UnusableClaim
from harness.stack.sfha.fencing.settings import Notify
from harness.stack.sfha.fencing.signals import Fencing
from tests.stack.sfha.claim.world import STONITH


def test_the_disk_keeps_claim_and_history(tmp_path: Path) -> None:
    board = PowerAndDisk(STONITH, lambda *_a, **_k: None, tmp_path)
    assert board.claim() == Stored()
    assert board.history() == []
    board.connect(_Deaf(), lambda function: function())  # type: ignore[arg-type]
    stored = Stored(Ballot(7, 2), Claim(Ballot(6, 1), over=False))
    board.save_claim(stored)
    board.save_history([Fencing(1, 2, 100.0, automatic=True, ok=False, error="no route")])
    board.save_pardons({3: 90.0})
    board.close()
    again = PowerAndDisk(STONITH, lambda *_a, **_k: None, tmp_path)
    assert again.claim() == stored
    (kept,) = again.history()
    assert (kept.node, kept.by, kept.ok, kept.error) == (1, 2, False, "no route")
    assert kept.at_s == pytest.approx(100.0, abs=1.0)
    assert again.pardons() == {3: pytest.approx(90.0, abs=1.0)}
    again.close()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"promised": [1]}', '{"promised": ["1", 2], "claim": [1, 1], "over": true}']
)
def test_a_claim_that_cannot_be_read_is_no_claim_to_vote_with(tmp_path: Path, text: str) -> None:
    (tmp_path / "claim.json").write_text(text)
    (tmp_path / "fencing.json").write_text(text)
    (tmp_path / "pardons.json").write_text(text)
    board = PowerAndDisk(STONITH, lambda *_a, **_k: None, tmp_path)
    with pytest.raises(UnusableClaim, match="then remove this file"):
        board.claim()
    assert board.history() == []
    assert board.pardons() == {}
    board.close()


def test_the_program_is_called_and_what_it_said_is_reported(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\necho "$1 $2"; [ "$2" = n1 ]\n')
    program.chmod(0o755)
    told = _Told()
    board = PowerAndDisk(replace(STONITH, notify=Notify(str(program))), lambda *_a, **_k: None, tmp_path, tmp_path)
    board.connect(told, lambda function: function())  # type: ignore[arg-type]
    board.tell("n1", "fenced")
    assert told.said.get(timeout=10.0) == ("n1", "", "fenced n1")
    board.tell("n2", "fenced")
    assert told.said.get(timeout=10.0) == ("n2", f"{program} fenced n2: fenced n2", "")
    board.configure(STONITH)
    board.tell("n1", "returned")
    assert told.said.get(timeout=10.0) == ("n1", "there is no program any more", "")
    board.close()


class _Told:
    def __init__(self) -> None:
        self.said: queue.SimpleQueue[tuple[str, str, str]] = queue.SimpleQueue()

    def told(self, node: str, error: str, said: str) -> None:
        self.said.put((node, error, said))


class _Deaf:
    def claim_saved(self, ok: bool) -> None:
        assert ok
