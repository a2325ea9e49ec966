"""What is measured is done: small files, few rounds, and a tool that fails ends the measurement."""

from functools import partial
from pathlib import Path

import pytest

from harness.bench import storage
from harness.bench.storage_program import Failed, Series, command, in_turns, make


def say(_: str) -> None:
    pass


def test_moves_beside_their_peers(tmp_path: Path) -> None:
    section = storage.run(tmp_path, say, runs=1, size_mib=8, idle_s=0, rounds=1, cycles=1, only="moves")
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| 8 MiB")]
    assert len(rows) == 10
    assert "not installed here" in section or all(f"| {row} | 1 |" in section for row in rows)
    assert "The load of the host was" in section
    assert not (tmp_path / "moves").exists()


def test_four_fifths_are_holes(tmp_path: Path) -> None:
    make(tmp_path / "file", 64, holes=True)
    found = (tmp_path / "file").stat()
    assert found.st_size == 64 << 20
    assert 0.08 < found.st_blocks * 512 / found.st_size < 0.35
    make(tmp_path / "dense", 8, holes=False)
    assert (tmp_path / "dense").stat().st_blocks * 512 >= 8 << 20


def test_a_tool_that_fails_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="ended with"):
        command("cp", tmp_path / "none", tmp_path / "other")
    (tmp_path / "source").write_bytes(b"x" * 100)

    def short() -> None:
        (tmp_path / "target").write_bytes(b"x")

    with pytest.raises(Failed, match="not as large"):
        storage._timed(tmp_path / "source", tmp_path / "target", short)


def test_what_is_compared_goes_in_turns() -> None:
    order: list[str] = []

    def noted(name: str) -> float:
        order.append(name)
        return 0.1

    series = [Series(name, partial(noted, name)) for name in "ab"]
    in_turns(series, 3, say)
    assert order == ["a", "b"] * 3
    assert [len(one.values_s) for one in series] == [3, 3]


def test_a_device_beside_its_file(tmp_path: Path) -> None:
    section = storage.run(tmp_path, say, runs=1, size_mib=4, idle_s=0, rounds=1, cycles=1, only="throughput")
    if "not shown here" in section:
        pytest.skip("not shown here: no block device can be made of a file")
    rows = [line for line in section.splitlines() if line.startswith("| 4 MiB")]
    assert [row.split("|")[2].strip() for row in rows] == ["2"] * 4
    assert sum("% longer than the file" in row for row in rows) == 2
    assert not (tmp_path / "volume").exists()
