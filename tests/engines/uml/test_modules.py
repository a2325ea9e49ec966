"""Which files of modules are loaded for a name; the kernel that takes them is elsewhere."""

import os
from pathlib import Path

import pytest

from harness.engines.uml.guest import modules
from harness.engines.uml.guest.system import Refused

DEPENDENCIES = """kernel/net/sched/sch_netem.ko:
kernel/net/netfilter/nf_tables.ko: kernel/net/netfilter/nfnetlink.ko kernel/lib/libcrc32c.ko
kernel/net/netfilter/nfnetlink.ko:
kernel/lib/libcrc32c.ko:
kernel/drivers/block/nbd.ko:
kernel/drivers/md/dm-log-writes.ko: kernel/drivers/md/dm-mod.ko
kernel/drivers/md/dm-mod.ko:
"""
ALIASES = """# Aliases extracted from modules themselves.
alias nfnetlink-subsys-10 nf_tables
alias block-major-43-* nbd
"""


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is put into the kernel."""
    directory = tmp_path / os.uname().release
    directory.mkdir()
    (directory / "modules.dep").write_text(DEPENDENCIES)
    (directory / "modules.alias").write_text(ALIASES)
    (directory / "modules.builtin").write_text("kernel/fs/ext4/ext4.ko\n")
    found: list[str] = []
    monkeypatch.setattr(modules, "MODULES", str(tmp_path))
    monkeypatch.setattr(modules, "_insert", lambda path: found.append(Path(path).stem))
    return found


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("sch_netem", ["sch_netem"]),
        ("nf_tables", ["libcrc32c", "nfnetlink", "nf_tables"]),
        ("dm_log_writes", ["dm-mod", "dm-log-writes"]),
        ("dm-mod", ["dm-mod"]),
        ("nfnetlink-subsys-10", ["libcrc32c", "nfnetlink", "nf_tables"]),
        ("block-major-43-7", ["nbd"]),
        ("ext4", []),
    ],
)
def test_a_module_comes_after_what_it_needs(name: str, files: list[str], loaded: list[str]) -> None:
    modules.load_module(name)
    assert loaded == files


def test_what_there_is_not_is_refused(loaded: list[str]) -> None:
    with pytest.raises(Refused, match="has no module no-such"):
        modules.load_module("no-such")
    assert loaded == []
