"""What of claim, history and pardons survives a restart of the daemon, and what of it cannot be read."""

from pathlib import Path

import pytest

from harness.stack.sfha.claim.messages import Ballot, Claim, Stored
from harness.stack.sfha.claim.power_and_disk import PowerAndDisk, UnusableClaim
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


class _Deaf:
    def claim_saved(self, ok: bool) -> None:
        assert ok
