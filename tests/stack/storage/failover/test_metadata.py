"""Files as a metalogger of MooseFS 4.57.5 had them."""

from pathlib import Path

from harness.stack.storage.failover.core import END
from harness.stack.storage.failover.metadata import METADATA, candidate_of

HEADER = b"MFSM 2.0" + (36).to_bytes(8, "big") + bytes.fromhex("6b0d6dc53b964ea4")


def written(folder: Path, metadata: bytes, last: int = 37, back: int = 35) -> None:
    (folder / METADATA).write_bytes(metadata)
    lines = "".join(f"{number}: 1796042204|UNLOCK(5)\n" for number in range(4, last + 1))
    (folder / "changelog_ml.0.mfs").write_text(lines + "38: 17960")
    (folder / "changelog_ml_back.0.mfs").write_text("".join(f"{n}: 1796042181|IDLE()\n" for n in range(1, back + 1)))


def test_it_is_enough(tmp_path: Path) -> None:
    written(tmp_path, HEADER + b"SESS 1.6" + END)
    found = candidate_of(tmp_path)
    assert (found.problems, found.version, found.last) == ((), 36, 37), "a torn last line never was a change"


def test_it_was_cut_off(tmp_path: Path) -> None:
    written(tmp_path, HEADER + b"SESS 1.6" + END[:-1])
    assert "has no end" in candidate_of(tmp_path).problems[0]


def test_a_changelog_is_gone(tmp_path: Path) -> None:
    written(tmp_path, HEADER + END)
    (tmp_path / "changelog_ml.0.mfs").write_text("39: 1796042243|IDLE()\n")
    assert candidate_of(tmp_path).problems == ("changes 36 to 38 are in no changelog, and later ones are",)


def test_changelogs_alone(tmp_path: Path) -> None:
    written(tmp_path, HEADER + END)
    (tmp_path / METADATA).unlink()
    assert "changelogs at most" in candidate_of(tmp_path).problems[0]
