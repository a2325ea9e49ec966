"""What a node leaves behind of itself, and what it must not bring along."""

from pathlib import Path

import pytest

from harness.stack.sfha.admin import files
from harness.stack.sfha.claim import power_and_disk
from harness.stack.sfha.shared_config import shared_config


def test_nothing_of_an_earlier_life_is_brought_into_the_next_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {path.parent for path in files.EARLIER_LIFE} == {power_and_disk.DIRECTORY}
    assert shared_config.REVISION_PATH in files.EARLIER_LIFE
    notes = tuple(tmp_path / path.name for path in files.EARLIER_LIFE)
    monkeypatch.setattr(files, "EARLIER_LIFE", notes)
    notes[0].write_text("{}")
    kept = tmp_path / "joining.json"
    kept.write_text("{}")
    files.forget_earlier_life()
    files.forget_earlier_life()
    assert list(tmp_path.iterdir()) == [kept]
