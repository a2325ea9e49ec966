"""Which kernel is used, and what is said where there is none."""

from pathlib import Path

import pytest

from harness.engines.choice import engine_for, why_no_gate, why_unusable
from harness.engines.uml.kernel import find_kernel, why_not
from harness.errors import HostError
from harness.rundir import RunDirectory


def test_without_a_kernel_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engines.uml.kernel._PATH", "/nonexistent")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("HARNESS_UML", raising=False)
    assert why_not() == "User-Mode Linux is not installed: harness engine install uml"
    assert why_unusable("uml") == why_not()
    with pytest.raises(HostError, match="User-Mode Linux is not installed: harness engine install uml"):
        engine_for("uml", RunDirectory("none"))


def test_a_kernel_of_ones_own_is_used_if_it_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kernel = tmp_path / "linux"
    monkeypatch.setenv("HARNESS_UML", str(kernel))
    assert why_not() == f"$HARNESS_UML ({kernel}) is no program: unset it, or name a kernel"
    kernel.write_text("#!/bin/sh\n")
    kernel.chmod(0o755)
    monkeypatch.setattr("harness.engines.uml.kernel._MODULES", tmp_path)
    assert find_kernel().program == kernel


@pytest.mark.parametrize(("said", "can"), [("y", True), ("m", True), (None, False)])
def test_whether_it_can_guard_addresses_is_what_it_says_of_itself(
    said: str | None, can: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kernel = tmp_path / "linux"
    line = f"CONFIG_NF_TABLES_NETDEV={said}" if said else "# CONFIG_NF_TABLES_NETDEV is not set"
    kernel.write_text(f"#!/bin/sh\necho '{line}'\n")
    kernel.chmod(0o755)
    monkeypatch.setenv("HARNESS_UML", str(kernel))
    monkeypatch.setattr("harness.engines.uml.kernel._MODULES", tmp_path)
    assert (why_no_gate("uml") is None) is can
    assert why_no_gate("local") is None
