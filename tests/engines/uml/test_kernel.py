"""Which kernel is used, and what is said where there is none."""

from pathlib import Path

import pytest

from harness.engines.choice import engine_for, why_no_gate, why_unusable
from harness.engines.uml.kernel import find_kernel, guards_bridges_alone, why_not
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


NETDEV, BRIDGE = "CONFIG_NF_TABLES_NETDEV", "CONFIG_NF_TABLES_BRIDGE"


@pytest.mark.parametrize(
    ("lines", "can", "bridges_alone"),
    [
        ([f"{NETDEV}=y"], True, False),
        ([f"{NETDEV}=m", f"{BRIDGE}=m"], True, False),
        ([f"# {NETDEV} is not set", f"{BRIDGE}=m"], True, True),
        ([f"# {NETDEV} is not set", f"# {BRIDGE} is not set"], False, False),
    ],
)
def test_what_it_can_guard_is_what_it_says_of_itself(
    lines: list[str], can: bool, bridges_alone: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kernel = tmp_path / "linux"
    kernel.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    kernel.chmod(0o755)
    monkeypatch.setenv("HARNESS_UML", str(kernel))
    monkeypatch.setattr("harness.engines.uml.kernel._MODULES", tmp_path)
    assert (why_no_gate("uml") is None) is can
    assert guards_bridges_alone() is bridges_alone
    assert why_no_gate("local") is None
